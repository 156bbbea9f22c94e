-- Devices that say what they are, wait for approval, are wiped from afar; where they are woken, and when they want to be.

ALTER TABLE devices ADD COLUMN platform TEXT NOT NULL DEFAULT 'web';      -- web, android, ios, desktop
ALTER TABLE devices ADD COLUMN app_version TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN ownership TEXT NOT NULL DEFAULT '';        -- issued (an administrator says so), private (BYOD), '': not told
ALTER TABLE devices ADD COLUMN approved_at BIGINT;                        -- NULL: it waits
ALTER TABLE devices ADD COLUMN approved_by BIGINT REFERENCES users(id);   -- NULL: nobody had to, or the operator did
ALTER TABLE devices ADD COLUMN wipe_asked_at BIGINT;                      -- from then on it can do nothing but clear its data
ALTER TABLE devices ADD COLUMN wiped_at BIGINT;                           -- when it said that it had
ALTER TABLE devices ADD COLUMN wiped_unsent BIGINT;                       -- items that were not sent yet and are lost

UPDATE devices SET approved_at = created_at;                              -- those that are there already do not wait
CREATE INDEX devices_waiting ON devices (org_id, id) WHERE approved_at IS NULL AND revoked_at IS NULL;
CREATE INDEX devices_wiping ON devices (org_id, id) WHERE wipe_asked_at IS NOT NULL;
CREATE INDEX devices_approved_by ON devices (approved_by) WHERE approved_by IS NOT NULL;

CREATE TABLE push_tokens (                    -- where a provider finds a device; one that is good no more stays, for the ledger
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  device_id BIGINT NOT NULL REFERENCES devices(id),
  platform TEXT NOT NULL,                     -- apns, fcm, web_push, unified
  token TEXT NOT NULL,                        -- APNs: hex; FCM: its token; Web Push, UnifiedPush: the endpoint's address; '' once it moved
  token_hash TEXT UNIQUE,                     -- SHA-256 of platform and token; NULL once it belongs to another row
  p256dh TEXT NOT NULL DEFAULT '',            -- the device's public key and secret (RFC 8291), base64url; '': it cannot decrypt
  auth TEXT NOT NULL DEFAULT '',
  topic TEXT NOT NULL DEFAULT '',             -- APNs: the app's bundle id
  language TEXT NOT NULL DEFAULT 'ja',
  registered_at BIGINT NOT NULL,              -- when the device last said so
  dropped_at BIGINT,
  dropped_why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX push_tokens_user ON push_tokens (user_id) WHERE dropped_at IS NULL;
CREATE INDEX push_tokens_device ON push_tokens (device_id);
CREATE INDEX push_tokens_end ON push_tokens (dropped_at) WHERE dropped_at IS NOT NULL;

CREATE TABLE notification_settings (          -- no row: the defaults
  user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  quiet_from SMALLINT,                        -- minutes of the day, in time_zone; NULL, both: no quiet hours
  quiet_to SMALLINT,
  time_zone TEXT NOT NULL DEFAULT 'Asia/Tokyo',
  duty TEXT NOT NULL DEFAULT 'on',            -- on, off
  push TEXT NOT NULL DEFAULT 'mentions_and_direct'        -- all, mentions_and_direct, none
) $COMPACT;

CREATE TABLE room_notifications (             -- no row: as the person's own setting says
  user_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  level TEXT NOT NULL,                        -- all, mentions, none
  PRIMARY KEY (user_id, room_id)
) $COMPACT;
CREATE INDEX room_notifications_room ON room_notifications (room_id);
