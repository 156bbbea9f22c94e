-- Backup and restore: jobs that a restored copy had waiting are set aside, not done a second time.

ALTER TABLE outbox ADD COLUMN parked_at BIGINT;
CREATE INDEX outbox_parked ON outbox (org_id, id) WHERE parked_at IS NOT NULL;
