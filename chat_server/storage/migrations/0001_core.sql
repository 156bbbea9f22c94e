-- The core: people, rooms, streams, files. Shared by both engines; three words differ and stand as $ID (an integer key
-- that numbers itself), $BYTES (a byte string) and $COMPACT (a table stored by its key, where the engine can).
--
-- Integer keys inside, random public ids outside. Every row belongs to an organization. Times are UTC milliseconds.

CREATE TABLE settings (                       -- the server's own facts: epoch, schema, …
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE signing_keys (                   -- access tokens and file addresses; rotated, the old ones verify until they retire
  id $ID,
  kid TEXT NOT NULL UNIQUE,
  purpose TEXT NOT NULL,                      -- token, file, audit
  secret $BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  retires_at BIGINT
);

CREATE TABLE organizations (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL UNIQUE,                  -- what a person types when signing in
  name TEXT NOT NULL,
  policy TEXT NOT NULL DEFAULT '{}',          -- JSON: who may create which room, who may invite guests, …
  directory_version BIGINT NOT NULL DEFAULT 1,
  retention_days BIGINT,
  audit_seq BIGINT NOT NULL DEFAULT 0,        -- head of the audit chain
  audit_hash TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);

CREATE TABLE departments (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  parent_id BIGINT REFERENCES departments(id),
  code TEXT NOT NULL,                         -- stable through renames; what the staff CSV refers to
  name TEXT NOT NULL,
  position BIGINT NOT NULL,                   -- department order (建制順) over the whole tree, depth first
  closed_at BIGINT,
  created_at BIGINT NOT NULL,
  UNIQUE (org_id, code)
);
CREATE INDEX departments_parent ON departments (parent_id);

CREATE TABLE users (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  kind TEXT NOT NULL,                         -- member, guest, bot
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  reading TEXT NOT NULL DEFAULT '',
  former_name TEXT,                           -- 旧姓
  password_hash TEXT,                         -- argon2id; NULL: cannot sign in by password
  sponsor_id BIGINT REFERENCES users(id),     -- guests: who answers for them
  ends_at BIGINT,                             -- guests: the last moment
  disabled_at BIGINT,
  first_seq BIGINT NOT NULL DEFAULT 1,        -- own stream
  last_seq BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);
-- A login may be given to somebody new once its holder is disabled: another row, another id, no old messages.
CREATE UNIQUE INDEX users_login ON users (org_id, login) WHERE disabled_at IS NULL;

CREATE TABLE appointments (                   -- 発令: dated; several at once are ordinary
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  department_id BIGINT NOT NULL REFERENCES departments(id),
  kind TEXT NOT NULL,                         -- main 本務, concurrent 兼務, joint 併任, annual 会計年度任用
  post TEXT NOT NULL DEFAULT '',              -- 職
  rank BIGINT NOT NULL DEFAULT 999,           -- 職位順: smaller is higher
  starts_at BIGINT NOT NULL,
  ends_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX appointments_user ON appointments (user_id, starts_at);
CREATE INDEX appointments_department ON appointments (department_id);

CREATE TABLE roles (                          -- beyond being a member: operator's seat is the command line, not a row
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  role TEXT NOT NULL,                         -- organization_admin, department_admin, auditor, records_officer
  department_id BIGINT NOT NULL DEFAULT 0,    -- department_admin: the section; 0 otherwise
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, role, department_id)
) $COMPACT;

CREATE TABLE devices (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  name TEXT NOT NULL,
  zone TEXT NOT NULL,
  address TEXT NOT NULL,                      -- where it was last seen from
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX devices_user ON devices (user_id) WHERE revoked_at IS NULL;

CREATE TABLE refresh_tokens (                 -- one family a device; a used one that comes back ends the family
  token_hash TEXT NOT NULL PRIMARY KEY,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  device_id BIGINT NOT NULL REFERENCES devices(id),
  issued_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
) $COMPACT;
CREATE INDEX refresh_tokens_device ON refresh_tokens (device_id);
CREATE INDEX refresh_tokens_end ON refresh_tokens (expires_at);

CREATE TABLE sign_ins (                       -- sign-in flows under way; every step gives a new flow token
  token_hash TEXT NOT NULL PRIMARY KEY,
  org_id BIGINT NOT NULL DEFAULT 0,           -- 0: no such organization or person; the flow goes on all the same
  user_id BIGINT NOT NULL DEFAULT 0,
  account TEXT NOT NULL,
  device_name TEXT NOT NULL,
  zone TEXT NOT NULL,
  passed TEXT NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL
) $COMPACT;
CREATE INDEX sign_ins_end ON sign_ins (expires_at);

CREATE TABLE sign_in_failures (               -- brute force, by account and by address
  key TEXT NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  since BIGINT NOT NULL
) $COMPACT;
CREATE INDEX sign_in_failures_since ON sign_in_failures (since);

CREATE TABLE rooms (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),   -- home: whose retention and hold rule
  kind TEXT NOT NULL,                         -- private, open, announcement, direct, memo
  name TEXT NOT NULL,
  topic TEXT NOT NULL DEFAULT '',
  history TEXT NOT NULL DEFAULT 'all',        -- all, joined: what newcomers see
  outflow TEXT NOT NULL DEFAULT 'view',       -- to a less trusted zone: text, view, download, approve
  direct_key TEXT UNIQUE,                     -- direct: both users; memo: the owner. One room a pair
  members BIGINT NOT NULL DEFAULT 0,
  first_seq BIGINT NOT NULL DEFAULT 1,
  last_seq BIGINT NOT NULL DEFAULT 0,
  last_ordinal BIGINT NOT NULL DEFAULT 0,
  retention_days BIGINT,
  hold BIGINT NOT NULL DEFAULT 0,
  created_by BIGINT REFERENCES users(id),
  created_at BIGINT NOT NULL,
  archived_at BIGINT
);
CREATE INDEX rooms_open ON rooms (org_id, name) WHERE kind = 'open' AND archived_at IS NULL;

CREATE TABLE room_organizations (             -- inter-organization rooms: both sides open, either may close
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  state TEXT NOT NULL,                        -- home, offered, open, closed
  by_user BIGINT REFERENCES users(id),
  at BIGINT NOT NULL,
  PRIMARY KEY (room_id, org_id)
) $COMPACT;
CREATE INDEX room_organizations_org ON room_organizations (org_id, state);

CREATE TABLE memberships (                    -- an interval of seq; to_seq NULL: still in
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),   -- the member's
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  role TEXT NOT NULL,                         -- owner, member, read_only
  outsider BIGINT NOT NULL,                   -- 1: a guest, or not of the room's home; neither ever changes
  involvement TEXT NOT NULL DEFAULT 'everything',
  from_seq BIGINT NOT NULL,
  to_seq BIGINT,
  visible_seq BIGINT NOT NULL,                -- the first seq that may be seen
  visible_ordinal BIGINT NOT NULL,            -- messages above this ordinal count as unread
  read_seq BIGINT NOT NULL DEFAULT 0,         -- read marker: only increases
  read_ordinal BIGINT NOT NULL DEFAULT 0,
  joined_at BIGINT NOT NULL,
  left_at BIGINT
);
CREATE UNIQUE INDEX memberships_now ON memberships (room_id, user_id) WHERE to_seq IS NULL;
CREATE INDEX memberships_user ON memberships (user_id, room_id, to_seq);
CREATE INDEX memberships_outsiders ON memberships (room_id, org_id) WHERE outsider = 1 AND to_seq IS NULL;

CREATE TABLE messages (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),   -- the room's home
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  seq BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  author_id BIGINT NOT NULL REFERENCES users(id),
  author_name TEXT NOT NULL,                  -- name, department and post as they were
  author_department TEXT NOT NULL,
  author_post TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,                         -- plain-text fallback
  blocks $BYTES NOT NULL,                     -- msgpack
  mentions $BYTES,                            -- msgpack {token: name}, NULL if none
  mention_all BIGINT NOT NULL DEFAULT 0,
  quote_id BIGINT REFERENCES messages(id),
  forward $BYTES,                             -- msgpack {author, department, at}
  thread_root BIGINT REFERENCES messages(id),
  attachments BIGINT NOT NULL DEFAULT 0,
  zone TEXT NOT NULL,                         -- where it was written
  version BIGINT NOT NULL DEFAULT 1,
  pinned_at BIGINT,
  created_at BIGINT NOT NULL,
  edited_at BIGINT,
  redacted_at BIGINT,
  redacted_by BIGINT,
  redacted_how TEXT,
  retain_until BIGINT,
  hold BIGINT NOT NULL DEFAULT 0
);
-- Unread counts and the mention flag read this index alone.
CREATE INDEX messages_ordinal ON messages (room_id, ordinal, author_id, redacted_at);
CREATE UNIQUE INDEX messages_seq ON messages (room_id, seq);
CREATE INDEX messages_mention_all ON messages (room_id, ordinal) WHERE mention_all = 1;
CREATE INDEX messages_pinned ON messages (room_id, pinned_at) WHERE pinned_at IS NOT NULL;

CREATE TABLE message_versions (               -- what an edit or redaction replaced: sealed, read by record export alone
  message_id BIGINT NOT NULL REFERENCES messages(id),
  version BIGINT NOT NULL,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  text TEXT NOT NULL,
  blocks $BYTES NOT NULL,
  mentions $BYTES,
  replaced_at BIGINT NOT NULL,
  replaced_by BIGINT NOT NULL,
  PRIMARY KEY (message_id, version)
) $COMPACT;

CREATE TABLE mentions (
  user_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  ordinal BIGINT NOT NULL,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  message_id BIGINT NOT NULL REFERENCES messages(id),
  PRIMARY KEY (user_id, room_id, ordinal)
) $COMPACT;
CREATE INDEX mentions_message ON mentions (message_id);

CREATE TABLE reactions (
  message_id BIGINT NOT NULL REFERENCES messages(id),
  key TEXT NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  at BIGINT NOT NULL,
  PRIMARY KEY (message_id, key, user_id)
) $COMPACT;

CREATE TABLE bookmarks (
  user_id BIGINT NOT NULL REFERENCES users(id),
  message_id BIGINT NOT NULL REFERENCES messages(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, message_id)
) $COMPACT;

CREATE TABLE events (                         -- the room's stream: refers to content, never holds any
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  seq BIGINT NOT NULL,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  message_id BIGINT,
  target BIGINT,                              -- seq of the message it refers to
  data $BYTES,                                -- msgpack, small
  PRIMARY KEY (room_id, seq)
) $COMPACT;

CREATE TABLE user_events (                    -- everybody's own stream
  user_id BIGINT NOT NULL REFERENCES users(id),
  seq BIGINT NOT NULL,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  data $BYTES,
  PRIMARY KEY (user_id, seq)
) $COMPACT;

CREATE TABLE sends (                          -- idempotency of sends: outlives the message, unique for ever per sender
  sender_id BIGINT NOT NULL REFERENCES users(id),
  client_msg_id TEXT NOT NULL,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  body_hash $BYTES NOT NULL,                  -- keyed: the table does not tell what was written
  room_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  message_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (sender_id, client_msg_id)
) $COMPACT;

CREATE TABLE idempotency (                    -- answers of unsafe HTTP calls, kept for a day
  user_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  org_id BIGINT NOT NULL,
  request_hash $BYTES NOT NULL,
  status BIGINT NOT NULL,
  answer $BYTES NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (user_id, key)
) $COMPACT;
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE blobs (                          -- bytes on disk or in S3, by content within an organization
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  origin_zone TEXT NOT NULL,                  -- of the least trusted way it came in
  created_at BIGINT NOT NULL,
  hold BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, sha256)
) $COMPACT;

CREATE TABLE attachments (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),   -- the uploader's until it is sent, then the room's home
  uploader_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT REFERENCES rooms(id),
  message_id BIGINT REFERENCES messages(id),
  position BIGINT NOT NULL DEFAULT 0,
  kind TEXT NOT NULL,                         -- photo, file
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,                   -- of the received bytes, by their content
  size BIGINT NOT NULL,
  width BIGINT,
  height BIGINT,
  color TEXT,
  taken_at BIGINT,
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION,
  origin_zone TEXT NOT NULL,
  state TEXT NOT NULL,                        -- pending, ready, failed
  withdrawn_at BIGINT,
  created_at BIGINT NOT NULL,
  retain_until BIGINT,
  hold BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX attachments_message ON attachments (message_id, position);
CREATE INDEX attachments_waiting ON attachments (uploader_id, created_at) WHERE message_id IS NULL;

CREATE TABLE renditions (
  attachment_id BIGINT NOT NULL REFERENCES attachments(id),
  kind TEXT NOT NULL,                         -- original, sanitized, preview, thumbnail, text
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  state TEXT NOT NULL,                        -- pending, ready, failed, refused
  policy_version BIGINT NOT NULL,             -- of the rules that made it
  sha256 TEXT,
  media_type TEXT NOT NULL,
  width BIGINT,
  height BIGINT,
  size BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (attachment_id, kind)
) $COMPACT;
CREATE INDEX renditions_blob ON renditions (org_id, sha256);

CREATE TABLE outbox (                         -- durable jobs, expanded after the commit
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  kind TEXT NOT NULL,                         -- message, directory, closed_side
  room_id BIGINT,
  seq BIGINT,
  at BIGINT NOT NULL
);

CREATE TABLE audit (                          -- chained: each row's hash covers the one before
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,                        -- public id of the user, or "operator"
  act TEXT NOT NULL,
  target TEXT NOT NULL,
  detail TEXT NOT NULL,                       -- JSON, never message content
  zone TEXT NOT NULL,
  address TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (org_id, seq)
) $COMPACT;
