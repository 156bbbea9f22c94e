-- A browser's worker tells the server of a new push subscription itself, while nobody has the page open.

ALTER TABLE devices ADD COLUMN renewal_hash TEXT;  -- SHA-256 of the secret by which it does; NULL: it has none (any more)

CREATE UNIQUE INDEX devices_renewal ON devices (renewal_hash) WHERE renewal_hash IS NOT NULL;
