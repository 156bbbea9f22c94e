-- The list of a room's files and photos: all, of one kind, of one person; the newest first.

CREATE INDEX attachments_room ON attachments (room_id, message_id, position) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_room_kind ON attachments (room_id, kind, message_id, position) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_room_person ON attachments (room_id, uploader_id, message_id, position) WHERE message_id IS NOT NULL;
