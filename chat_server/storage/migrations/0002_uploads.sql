-- Uploads that come in parts (tus): what was announced, until its bytes are whole and it has become an attachment.

CREATE TABLE uploads (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  uploader_id BIGINT NOT NULL REFERENCES users(id),
  kind TEXT NOT NULL,                         -- photo, file: what becomes of it
  name TEXT NOT NULL,
  size BIGINT NOT NULL,                       -- in all, announced at the beginning
  zone TEXT NOT NULL,                         -- where it was begun; it goes on there alone
  attachment TEXT,                            -- public id of what became of it
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_uploader ON uploads (uploader_id) WHERE attachment IS NULL;
CREATE INDEX uploads_end ON uploads (expires_at);
