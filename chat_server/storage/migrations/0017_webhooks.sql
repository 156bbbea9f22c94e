-- Webhooks: other systems post into a room, and are told what is said there.

CREATE TABLE hooks (                          -- never removed: its bot's messages stay
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- the room's home
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  bot_id BIGINT NOT NULL UNIQUE REFERENCES users(id),     -- in whose name it posts
  made_by BIGINT NOT NULL REFERENCES users(id),
  url TEXT NOT NULL DEFAULT '',                           -- who is told, empty: nobody
  is_on BIGINT NOT NULL DEFAULT 1,
  salt $BYTES NOT NULL,                                   -- its secret is made of this and a key of the server
  old_salt $BYTES,                                        -- of the secret before
  old_until BIGINT,                                       -- until when that is good
  minute BIGINT NOT NULL DEFAULT 0,                       -- since when its posts are counted
  posts BIGINT NOT NULL DEFAULT 0,
  told_at BIGINT,                                         -- when the room was told that nothing arrives, NULL: it does
  created_at BIGINT NOT NULL,
  removed_at BIGINT
);
CREATE INDEX hooks_room ON hooks (room_id) WHERE removed_at IS NULL;

CREATE TABLE hook_deliveries (                -- messages that are to be told, in order; one that has failed holds up those behind it
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  hook_id BIGINT NOT NULL REFERENCES hooks(id),
  seq BIGINT NOT NULL,                                    -- which message of the room
  since BIGINT NOT NULL,                                  -- from when on it is tried
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  fault BIGINT,                                           -- number of the error of the last try
  status BIGINT,                                          -- what was answered, if anything was
  failed_at BIGINT,
  parked_at BIGINT,
  UNIQUE (hook_id, seq)
);
CREATE INDEX hook_deliveries_waiting ON hook_deliveries (hook_id, id) WHERE parked_at IS NULL;
CREATE INDEX hook_deliveries_parked ON hook_deliveries (parked_at) WHERE parked_at IS NOT NULL;
