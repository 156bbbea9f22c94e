-- 片付け: memo rooms in which what is old is taken back.

CREATE TABLE tidying (
  room_id BIGINT NOT NULL PRIMARY KEY REFERENCES rooms(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  before_at BIGINT,                           -- once: what was written before this
  days BIGINT NOT NULL,                       -- every day: what is older; 0: nothing
  due_at BIGINT NOT NULL
) $COMPACT;
CREATE INDEX tidying_due ON tidying (due_at);
