-- 予約送信: messages that are sent at a time to come.

CREATE TABLE scheduled (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- the author's
  author_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  zone TEXT NOT NULL,                                     -- where it was written
  blocks $BYTES NOT NULL,                                 -- msgpack, cleaned
  quote TEXT,                                             -- public id of the quoted message
  confirm_for BIGINT,                                     -- 要確認: milliseconds from the sending on
  version BIGINT NOT NULL DEFAULT 1,
  send_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  failed_at BIGINT,                                       -- it could not be sent then
  fault BIGINT                                            -- number of the error that says why
);
CREATE INDEX scheduled_due ON scheduled (send_at) WHERE failed_at IS NULL;
CREATE INDEX scheduled_author ON scheduled (author_id, send_at);

ALTER TABLE attachments ADD COLUMN scheduled_id BIGINT REFERENCES scheduled(id);  -- an upload that waits to be sent
CREATE INDEX attachments_scheduled ON attachments (scheduled_id) WHERE scheduled_id IS NOT NULL;
