-- Bytes that people have brought in, kept with every upload: what a quota is held against.

CREATE TABLE usage (
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT NOT NULL,                    -- 0: the organization in all
  bytes BIGINT NOT NULL,
  PRIMARY KEY (org_id, user_id)
) $COMPACT;

-- What was there before: whatever somebody uploaded. A forwarded copy is rows, not bytes.
INSERT INTO usage (org_id, user_id, bytes)
SELECT u.org_id, u.id, sum(a.size) FROM attachments a JOIN users u ON u.id = a.uploader_id
LEFT JOIN messages m ON m.id = a.message_id WHERE m.forward IS NULL GROUP BY u.org_id, u.id;

INSERT INTO usage (org_id, user_id, bytes)
SELECT org_id, 0, sum(bytes) FROM usage GROUP BY org_id;
