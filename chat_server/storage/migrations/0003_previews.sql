-- Previews and text of files: made after the upload was answered, tried a few times, with the reason where there is none.

-- Why it failed: see ports.Document.failed.
ALTER TABLE renditions ADD COLUMN reason TEXT;
ALTER TABLE renditions ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
-- When a pending one is tried (again).
ALTER TABLE renditions ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX renditions_pending ON renditions (due_at, attachment_id) WHERE state = 'pending';
-- Of a document, where known.
ALTER TABLE attachments ADD COLUMN pages BIGINT;
