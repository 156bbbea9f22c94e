-- How much a post in an announcement room matters: urgent, important, notice. NULL: it is none.

ALTER TABLE messages ADD COLUMN level TEXT;
CREATE INDEX messages_level ON messages (room_id, seq) WHERE level IS NOT NULL;

ALTER TABLE scheduled ADD COLUMN level TEXT;
