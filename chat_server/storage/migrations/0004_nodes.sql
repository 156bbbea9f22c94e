-- The processes that serve this database: one row each while it runs, its heart beating every other second.

CREATE TABLE nodes (
  id TEXT NOT NULL PRIMARY KEY,               -- of one start of the process
  name TEXT NOT NULL,                         -- of the machine
  release TEXT NOT NULL,
  leads BIGINT NOT NULL DEFAULT 0,            -- 1: runs the workers (outbox, sweepers)
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
) $COMPACT;
