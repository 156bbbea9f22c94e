-- Files that somebody wants to take out to a less trusted zone, where their room lets them out only with a second person's approval.
-- `zone_rules` has rules outward as well: of the family 'outflow', from the more to the less trusted zone, a value of domain.zones.OUTFLOWS.

ALTER TABLE attachments ADD COLUMN carried TEXT;  -- of a copy that was made outside the file's zone: the rule of the rooms that it came from

CREATE TABLE takeouts (
  id $ID,
  public_id TEXT NOT NULL UNIQUE,
  org_id BIGINT NOT NULL REFERENCES organizations(id),    -- whose rule says who approves: the room's home
  attachment_id BIGINT NOT NULL REFERENCES attachments(id),
  user_id BIGINT NOT NULL REFERENCES users(id),           -- wants it, and never approves of it
  device TEXT NOT NULL,                                   -- public id: on this one alone
  zone TEXT NOT NULL,                                     -- that it goes to
  reason TEXT NOT NULL,
  state TEXT NOT NULL,                                    -- asked, approved, refused, lapsed
  asked_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,                             -- asked: when nobody may approve any more; approved: until when it may be saved
  decided_by BIGINT REFERENCES users(id),
  decided_at BIGINT,
  words TEXT NOT NULL DEFAULT ''                          -- of whoever decided
);
CREATE UNIQUE INDEX takeouts_asked ON takeouts (attachment_id, user_id, device) WHERE state = 'asked';
CREATE INDEX takeouts_of ON takeouts (attachment_id, user_id, device, id);
CREATE INDEX takeouts_waiting ON takeouts (org_id, asked_at) WHERE state = 'asked';
CREATE INDEX takeouts_by ON takeouts (user_id) WHERE state = 'asked';
