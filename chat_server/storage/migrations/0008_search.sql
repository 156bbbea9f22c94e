-- What was changed after it was indexed (edited, redacted, withdrawn, a document's text has come): the indexer takes it
-- from here. New messages it finds by their ids.
CREATE TABLE search_changes (
  id $ID,
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  message_id BIGINT NOT NULL REFERENCES messages(id)
);
