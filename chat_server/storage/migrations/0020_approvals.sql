-- Files that wait for a second person, rules by pair of zones, what was said of each file that was rebuilt, files whose pages somebody
-- wants as pictures, and visits that ended without a word.

CREATE TABLE held_files (                     -- handed over as it came, if a second person approves
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- whose rule holds it
  handed_id BIGINT UNIQUE REFERENCES handed_files(id),    -- it came by a link, or:
  attachment_id BIGINT UNIQUE REFERENCES attachments(id), -- a colleague sent it from a less trusted zone
  sender_id BIGINT NOT NULL REFERENCES users(id),         -- who asked for it, or sent it: never who approves
  name TEXT NOT NULL,
  size BIGINT NOT NULL,
  kind TEXT NOT NULL,                                     -- found by content
  zone TEXT NOT NULL,                                     -- it came in by
  sha256 TEXT NOT NULL,                                   -- of what was received
  report $BYTES NOT NULL,                                 -- JSON of sanitizing.report.Report: what was found in it
  state TEXT NOT NULL,                                    -- held, approved, refused, lapsed
  held_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,                             -- held: when nobody may approve it any more
  decided_by BIGINT REFERENCES users(id),
  decided_at BIGINT,
  reason TEXT NOT NULL DEFAULT ''                         -- their words
);
CREATE INDEX held_files_waiting ON held_files (org_id, held_at) WHERE state = 'held';
CREATE INDEX held_files_end ON held_files (expires_at) WHERE state = 'held';

CREATE TABLE zone_rules (                     -- instead of the organization's rule for a family, between these two zones
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  from_zone TEXT NOT NULL,
  to_zone TEXT NOT NULL,                                  -- the more trusted one
  family TEXT NOT NULL,                                   -- of domain.policy.SANITIZE
  action TEXT NOT NULL,
  PRIMARY KEY (org_id, from_zone, to_zone, family)
) $COMPACT;

CREATE TABLE file_reports (                   -- a forwarded copy has one of its own
  attachment_id BIGINT PRIMARY KEY REFERENCES attachments(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  report $BYTES NOT NULL,                                 -- JSON of sanitizing.report.Report
  link TEXT,                                              -- public id of the link that it came by
  held_id BIGINT REFERENCES held_files(id),               -- it was let through as it came
  received_at BIGINT,
  decided_at BIGINT NOT NULL
);
CREATE INDEX file_reports_held ON file_reports (held_id) WHERE held_id IS NOT NULL;

CREATE TABLE flattenings (                    -- somebody wants a file's pages as pictures; made, it is a rendition
  attachment_id BIGINT PRIMARY KEY REFERENCES attachments(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  state TEXT NOT NULL,                                    -- pending, ready, failed
  reason TEXT NOT NULL DEFAULT '',                        -- failed: see services.flattening
  tries BIGINT NOT NULL DEFAULT 0,
  due_at BIGINT NOT NULL,
  asked_by BIGINT NOT NULL REFERENCES users(id),
  asked_at BIGINT NOT NULL
) $COMPACT;
CREATE INDEX flattenings_due ON flattenings (due_at) WHERE state = 'pending';

ALTER TABLE link_visits ADD COLUMN silent BIGINT NOT NULL DEFAULT 0;  -- 1: its time was over, and nobody had said that all is handed in
CREATE INDEX link_visits_over ON link_visits (expires_at) WHERE delivered_at IS NULL;

CREATE INDEX upload_links_living ON upload_links (org_id, ends_at) WHERE done_at IS NULL AND revoked_at IS NULL;

INSERT INTO file_reports (attachment_id, org_id, report, link, received_at, decided_at)
  SELECT h.attachment_id, h.org_id, h.report, l.public_id, h.received_at, h.decided_at
  FROM handed_files h JOIN upload_links l ON l.id = h.link_id
  WHERE h.attachment_id IS NOT NULL AND h.report IS NOT NULL AND h.decided_at IS NOT NULL;
