"""`ports.Storage` on PostgreSQL (15 and newer), through asyncpg."""
