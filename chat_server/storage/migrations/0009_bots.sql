-- Bots that run in the server: their accounts, what they have still to do, and what they keep.

CREATE TABLE bots (
  user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  plugin TEXT NOT NULL,                       -- the folder below bots/
  everywhere TEXT NOT NULL DEFAULT '',        -- a kind of room in which it is without being asked in
  UNIQUE (org_id, plugin)
);

CREATE TABLE bot_events (                     -- in order; one that has failed waits and lets others pass, then is parked
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  bot_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  key TEXT NOT NULL,                          -- of what the bot does about it; never given again, as ids may be
  kind TEXT NOT NULL,                         -- message, timer
  seq BIGINT,                                 -- message: where it stands
  note TEXT NOT NULL DEFAULT '',              -- timer: what the bot left itself
  due_at BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  parked_at BIGINT,
  reason TEXT
);
CREATE INDEX bot_events_due ON bot_events (due_at) WHERE parked_at IS NULL;
CREATE INDEX bot_events_timers ON bot_events (bot_id, room_id) WHERE kind = 'timer';

CREATE TABLE bot_stores (                     -- a bot's own, for each room
  bot_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  value $BYTES NOT NULL,                      -- msgpack map
  PRIMARY KEY (bot_id, room_id)
) $COMPACT;
