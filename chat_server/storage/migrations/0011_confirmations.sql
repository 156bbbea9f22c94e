-- 要確認: a message that asks everybody to say that they took note of it, by a time.

ALTER TABLE messages ADD COLUMN confirm_by BIGINT;         -- until when (UTC ms), NULL: nobody is asked
ALTER TABLE messages ADD COLUMN confirm_again_at BIGINT;   -- when those who have not are asked again, NULL: never, or done
ALTER TABLE messages ADD COLUMN confirm_again_after BIGINT NOT NULL DEFAULT 0;   -- how far that has come: the user_id asked last
CREATE INDEX messages_confirm_again ON messages (confirm_again_at) WHERE confirm_again_at IS NOT NULL;
CREATE INDEX messages_confirm_by ON messages (room_id, confirm_by) WHERE confirm_by IS NOT NULL;

CREATE TABLE confirmations (
  message_id BIGINT NOT NULL REFERENCES messages(id),
  user_id BIGINT NOT NULL REFERENCES users(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),   -- the person's
  at BIGINT NOT NULL,
  PRIMARY KEY (message_id, user_id)
) $COMPACT;
