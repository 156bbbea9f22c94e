"""Queue and ledger of pushes: in a file of their own, or in a schema of their own."""
