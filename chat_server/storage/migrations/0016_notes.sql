-- ノート: pages that a room writes together, with every version of them.

CREATE TABLE notes (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- the room's home
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  title TEXT NOT NULL,
  version BIGINT NOT NULL,                                -- the present one
  created_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL REFERENCES users(id),
  updated_at BIGINT NOT NULL,
  updated_by BIGINT NOT NULL REFERENCES users(id),
  deleted_at BIGINT,
  deleted_by BIGINT REFERENCES users(id),
  retain_until BIGINT,
  hold BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX notes_room ON notes (room_id, updated_at, id);

-- Numbered through all notes: the indexer goes on from the last number it knows.
CREATE TABLE note_versions (
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  note_id BIGINT NOT NULL REFERENCES notes(id),
  version BIGINT NOT NULL,
  what TEXT NOT NULL,                                     -- created, changed, deleted, restored, struck
  seq BIGINT NOT NULL,                                    -- of the event that tells of it
  at BIGINT NOT NULL,
  author_id BIGINT NOT NULL REFERENCES users(id),
  author_name TEXT NOT NULL,                              -- name, department and post as they were
  author_department TEXT NOT NULL,
  author_post TEXT NOT NULL,
  title TEXT NOT NULL,
  content $BYTES NOT NULL,                                -- msgpack: the blocks
  base BIGINT,                                            -- the version that was changed, or restored
  conflict BIGINT NOT NULL DEFAULT 0,                     -- 1: both sides of a conflict stand in it
  UNIQUE (note_id, version)
);

-- Messages that were taken over, as they were then. Versions name them: what is struck is gone from all of them.
CREATE TABLE note_entries (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  note_id BIGINT NOT NULL REFERENCES notes(id),
  message_id BIGINT NOT NULL REFERENCES messages(id),
  at BIGINT NOT NULL,                                     -- of the message
  author_id BIGINT NOT NULL REFERENCES users(id),
  author_name TEXT NOT NULL,
  author_department TEXT NOT NULL,
  author_post TEXT NOT NULL,
  text TEXT NOT NULL,                                     -- words, mentions as names
  forward $BYTES,                                         -- msgpack {author, department, at}
  edited_at BIGINT,
  taken_by BIGINT NOT NULL REFERENCES users(id),
  taken_at BIGINT NOT NULL,
  struck_at BIGINT,
  struck_by BIGINT REFERENCES users(id)
);
CREATE INDEX note_entries_note ON note_entries (note_id);
CREATE INDEX note_entries_message ON note_entries (message_id);

ALTER TABLE attachments ADD COLUMN note_id BIGINT REFERENCES notes(id);          -- of a note, not of a message
ALTER TABLE attachments ADD COLUMN entry_id BIGINT REFERENCES note_entries(id);  -- came with a message that was taken over
-- Seq of the event by which the note let go of it.
ALTER TABLE attachments ADD COLUMN note_until BIGINT;
CREATE INDEX attachments_note ON attachments (note_id, entry_id, position) WHERE note_id IS NOT NULL;
