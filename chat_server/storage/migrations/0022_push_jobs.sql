-- A message that bots and webhooks have got stays in the outbox as 'push' until it is in the ledger of pushes.

CREATE INDEX outbox_push ON outbox (id) WHERE kind = 'push';
