-- Links by which people without an account hand in files, what they handed in, and what became of it.

CREATE TABLE upload_links (                   -- never removed while something names them: the record of who asked whom for what
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- the room's home
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  asker_id BIGINT NOT NULL REFERENCES users(id),
  token_hash $BYTES UNIQUE,                               -- SHA-256 of the token, NULL: none was given out, or it is good no more
  pin_hash TEXT,                                          -- told by phone, NULL: none
  pin_misses BIGINT NOT NULL DEFAULT 0,
  recipient TEXT NOT NULL,                                -- name of the one outside
  company TEXT NOT NULL DEFAULT '',
  email TEXT NOT NULL DEFAULT '',                         -- only ever shown
  purpose TEXT NOT NULL,
  expected TEXT NOT NULL DEFAULT '',                      -- what is expected, in words
  most_files BIGINT NOT NULL,
  most_bytes BIGINT NOT NULL,                             -- of all files together
  kinds TEXT NOT NULL DEFAULT '',                         -- families of domain.links, comma between; empty: all
  told TEXT NOT NULL DEFAULT '',                          -- public ids of people to be notified besides the asker, comma between
  is_once BIGINT NOT NULL,                                -- one delivery, else several until the deadline
  created_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  opened_at BIGINT,                                       -- when somebody outside first began a visit
  claimed_at BIGINT,                                      -- is_once: when the one delivery began
  done_at BIGINT,                                         -- when it was handed in for good (once), or the asker closed it
  revoked_at BIGINT,
  reminded_at BIGINT                                      -- when the room was told that the deadline passed
);
CREATE INDEX upload_links_room ON upload_links (room_id, id);
CREATE INDEX upload_links_end ON upload_links (ends_at) WHERE done_at IS NULL AND revoked_at IS NULL AND reminded_at IS NULL;

CREATE TABLE link_visits (                    -- a short session of whoever holds the link
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  link_id BIGINT NOT NULL REFERENCES upload_links(id),
  token_hash $BYTES NOT NULL UNIQUE,
  zone TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  delivered_at BIGINT                                     -- when it said that all is handed in
);
CREATE INDEX link_visits_link ON link_visits (link_id);
CREATE INDEX link_visits_end ON link_visits (expires_at);

CREATE TABLE handed_files (                   -- a file on its way in from outside; its bytes while it comes: ports.Part of public_id
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  link_id BIGINT NOT NULL REFERENCES upload_links(id),
  visit_id BIGINT NOT NULL REFERENCES link_visits(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  name TEXT NOT NULL,                                     -- cleaned (domain.file_names)
  size BIGINT NOT NULL,                                   -- announced, in bytes
  zone TEXT NOT NULL,                                     -- it came in by
  state TEXT NOT NULL,                                    -- coming, waiting, released, refused
  sha256 TEXT,                                            -- of what was received, once it is whole: the receipt promises it
  sealed_sha256 TEXT,                                     -- the blob that holds it, encrypted: the quarantine
  report $BYTES,                                          -- JSON of sanitizing.report.Report, once it was disarmed
  attachment_id BIGINT REFERENCES attachments(id),        -- what the room sees of it
  page_id BIGINT REFERENCES attachments(id),              -- of a drawing: a page that shows it
  tries BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL,                                 -- waiting: when it is to be disarmed
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,                             -- coming: when it is swept; else: when the quarantine ends
  received_at BIGINT,
  decided_at BIGINT,                                      -- released or refused
  posted_at BIGINT                                        -- when the room was told
);
CREATE INDEX handed_files_link ON handed_files (link_id, id);
CREATE INDEX handed_files_visit ON handed_files (visit_id);
CREATE INDEX handed_files_due ON handed_files (due_at) WHERE state = 'waiting';
CREATE INDEX handed_files_end ON handed_files (expires_at) WHERE state = 'coming' OR sealed_sha256 IS NOT NULL;
CREATE INDEX handed_files_attachment ON handed_files (attachment_id) WHERE attachment_id IS NOT NULL;
CREATE INDEX handed_files_sealed ON handed_files (org_id, sealed_sha256) WHERE sealed_sha256 IS NOT NULL;

CREATE UNIQUE INDEX bot_events_links ON bot_events (bot_id, note) WHERE kind = 'link';  -- note: the link's public id; told of once, as it is then
