-- Bots that run elsewhere: a token of their own, and one thing at a time for each room.

ALTER TABLE bots ADD COLUMN token_hash $BYTES;                  -- SHA-256; NULL: it runs in the server
ALTER TABLE bots ADD COLUMN zone TEXT NOT NULL DEFAULT '';      -- where the token is good
ALTER TABLE bots ADD COLUMN seen_at BIGINT;                     -- when it last asked what there is to do
ALTER TABLE bots ADD COLUMN rests_until BIGINT NOT NULL DEFAULT 0;  -- it did much: it gets the next thing then
CREATE UNIQUE INDEX bots_token ON bots (token_hash) WHERE token_hash IS NOT NULL;

ALTER TABLE bot_events ADD COLUMN lease TEXT;                   -- of whoever is at it; another one gets it after its time
ALTER TABLE bot_events ADD COLUMN leased_until BIGINT;
ALTER TABLE bot_events ADD COLUMN told BIGINT;                  -- answers: how many times it had been answered when it was taken
CREATE INDEX bot_events_lease ON bot_events (bot_id, lease) WHERE lease IS NOT NULL;
