"""The tables, in words that both engines know. On PostgreSQL they lie in the schema `push`."""

from __future__ import annotations

from typing import Final

FORM: Final = 1
"""Of the tables; one of another form cannot be read."""

TABLES: Final = (
    "CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    # a message that was handed over; whoever was not rung stands in it, packed
    (
        "CREATE TABLE handed (message_id BIGINT NOT NULL PRIMARY KEY, org_id BIGINT NOT NULL, room_id BIGINT NOT NULL,"
        " seq BIGINT NOT NULL, at BIGINT NOT NULL, quiet {BYTES} NOT NULL)"
    ),
    "CREATE INDEX handed_at ON handed (at)",
    (
        "CREATE TABLE parcels (id {ID}, public_id TEXT NOT NULL UNIQUE, user_id BIGINT NOT NULL, device_id BIGINT NOT NULL,"
        " room_id BIGINT NOT NULL, message_id BIGINT NOT NULL, seq BIGINT NOT NULL, lane TEXT NOT NULL, kind TEXT NOT NULL,"
        " why TEXT NOT NULL, urgent BIGINT NOT NULL, state BIGINT NOT NULL, tries BIGINT NOT NULL, due_at BIGINT NOT NULL,"
        " expires BIGINT NOT NULL, answer TEXT NOT NULL, receipt TEXT NOT NULL, created_at BIGINT NOT NULL,"
        " tried_at BIGINT, done_at BIGINT)"
    ),
    "CREATE INDEX parcels_due ON parcels (lane, due_at, id) WHERE state = 0",
    "CREATE INDEX parcels_sending ON parcels (id) WHERE state = 1",
    "CREATE INDEX parcels_device ON parcels (device_id, room_id, id) WHERE state < 10",
    "CREATE INDEX parcels_user ON parcels (user_id, room_id) WHERE state < 10",
    "CREATE INDEX parcels_message ON parcels (message_id, user_id)",
    "CREATE INDEX parcels_created ON parcels (created_at)",
    "CREATE INDEX parcels_open ON parcels (created_at) WHERE state < 10",
    # what a device shows of a room, as far as we know
    (
        "CREATE TABLE rung (device_id BIGINT NOT NULL, room_id BIGINT NOT NULL, user_id BIGINT NOT NULL,"
        " message_id BIGINT NOT NULL, seq BIGINT NOT NULL, lane TEXT NOT NULL, at BIGINT NOT NULL,"
        " PRIMARY KEY (device_id, room_id))"
    ),
    "CREATE INDEX rung_user ON rung (user_id, room_id)",
    "CREATE INDEX rung_at ON rung (at)",
)
NAMES: Final = ("rung", "parcels", "handed", "state")
