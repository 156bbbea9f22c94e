"""Every limit of the product in one place. `hello` tells the ones a client needs."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# Frames (docs/protocol.md, section 2)
FRAME_BYTES: Final = 64 * 1024
FRAME_DEPTH: Final = 16
UNANSWERED: Final = 64
COMMANDS_PER_SECOND: Final = 50
COMMAND_BURST: Final = 200
COMMANDS_REFUSED: Final = 10 * COMMANDS_PER_SECOND
"""Commands over the rate that are refused one by one, forgotten at the rate itself; beyond them the connection ends."""
AUTH_SECONDS: Final = 5
QUEUE_BYTES: Final = 1024 * 1024
"""A reader that falls behind this far is closed with 4001 and resumes."""

# Streams
REPLAY_EVENTS: Final = 1_000
"""Further behind than this, loading the room anew is cheaper than replaying it."""
PAGE_EVENTS: Final = 200
PAGE_EVENTS_MAX: Final = 500
PAGE_BYTES: Final = 256 * 1024
"""A page of events ends here, whatever was asked for: 500 messages of the longest would be 60 MB, and their reader
would be taken for one that fell behind."""

# Messages
TEXT_CHARS: Final = 20_000
PHOTOS: Final = 10
BLOCKS: Final = 20
MENTIONS: Final = 50
"""People and departments that one message may call; everyone is one."""
REACTION_CHARS: Final = 32
REACTION_KINDS: Final = 20
REACTION_USERS_SHOWN: Final = 50
CANCEL_WITHIN: Final = 24 * HOUR
SCHEDULED: Final = 100
"""Messages of a person that wait to be sent."""
SCHEDULED_SOONEST: Final = MINUTE
SCHEDULED_LATEST: Final = 366 * DAY
UNREAD_CAP: Final = 100
RECEIPT_MEMBERS: Final = 50
"""Up to this many members a read marker is shown by name, where everybody may know; else counts, once a second."""

# Rooms
ROOM_MEMBERS: Final = 10_000
INVITE_AT_ONCE: Final = 50
"""People a single transaction adds: keeps the writer free for others (20 ms)."""
NAME_CHARS: Final = 80
TOPIC_CHARS: Final = 500
WATCHED_USERS: Final = 200

# Notes
NOTES: Final = 500
"""Of a room, without the deleted ones."""
NOTE_TITLE_CHARS: Final = 100
NOTE_BLOCKS: Final = 200
NOTE_CHARS: Final = 100_000
"""Of all texts of a note, those of messages taken over included."""
NOTE_CAPTION_CHARS: Final = 200
NOTE_MESSAGES: Final = 50
"""Messages that are taken over at once, and"""
NOTE_COPIES: Final = 200
"""photos and files that one act takes over: keeps the writer free for others (20 ms)."""

NOTE_EXPORT_BYTES: Final = 2 * 1024 * 1024 * 1024
"""Of everything in the ZIP of a note."""

# Webhooks (docs/webhooks.md)
HOOKS: Final = 10
"""Of one room."""
HOOK_BYTES: Final = 32 * 1024
HOOK_POSTS: Final = 60
"""Posts of one webhook in a minute."""
HOOK_OVERLAP: Final = DAY
"""How long the secret before is good beside the new one."""
HOOK_KEPT: Final = 30 * DAY
"""Deliveries that were given up can be tried again for so long."""

# Push (docs/push.md)
PUSH_LIVES: Final = 12 * HOUR
"""What could not be carried by then is given up: everybody has seen it, or heard of it."""
PUSH_BYTES: Final = 3_000
"""Of what is sealed for a device; providers take 4 kB in all."""
PUSH_KEPT: Final = 30 * DAY
"""How long it can be asked why something did not ring."""

# HTTP
BODY_BYTES: Final = 1024 * 1024
PHOTO_BYTES: Final = 40 * 1024 * 1024
IDEMPOTENCY_KEPT: Final = DAY

# Sign-in
ACCESS_LIVES: Final = 10 * MINUTE
REFRESH_LIVES: Final = 30 * DAY
REFRESH_REPEATED: Final = 10 * MINUTE
"""For so long a refresh whose answer was lost may be repeated: what else was on the line lives as long."""
FLOW_LIVES: Final = 5 * MINUTE
FAILURE_WINDOW: Final = 15 * MINUTE
FAILURES_PER_ACCOUNT: Final = 10
FAILURES_PER_ADDRESS: Final = 50
PASSWORD_CHARS: Final = 10

# Devices
APP_VERSION_CHARS: Final = 40
DEVICES_SHOWN: Final = 200
"""Of an organization, in the lists of those that wait and of those that are wiped."""
PUSH_TOKEN_CHARS: Final = 2048
PUSH_RENEWALS: Final = 20
"""Within `FAILURE_WINDOW`, by one device's worker: the table of tokens does not grow without bound."""
PUSH_RENEWALS_MISSED: Final = 50
"""Within `FAILURE_WINDOW`, by one address, with secrets that are good for nothing."""

# Files
FILES: Final = 20
"""Files and photos that one message may carry, together."""
FILE_BYTES: Final = 5 * 1024 * 1024 * 1024
UPLOADS: Final = 100
"""Uploads of one person that may be under way at once."""
UPLOAD_LIVES: Final = 7 * DAY
"""An upload to which nothing was added for so long is over."""
ADDRESS_STEP: Final = 10 * MINUTE
"""Addresses end on a multiple of this, so that a browser asked twice gets the same address and uses its cache."""
UNSENT_KEPT: Final = 7 * DAY
"""An upload that is in no message by then is removed."""

# Upload links
LINKS: Final = 200
"""Of one room that are still good."""
LINK_LIVES: Final = 30 * DAY
LINK_FILES: Final = 100
LINK_TRIES: Final = 2
"""What is refused can be sent again in another form: a link takes so many times its files in all."""
LINK_BYTES: Final = FILE_BYTES
LINK_TOLD: Final = 20
"""People who are notified besides the asker."""
LINK_WORDS_CHARS: Final = 500
FLATTENINGS_WAITING: Final = 20
"""Files of which one person waits for pictures of the pages."""
TAKEOUTS_WAITING: Final = 20
"""Files that one person waits to take out."""
TAKEOUT_ASKED: Final = 7 * DAY
"""For so long somebody may decide about it; and, once approved of, it may be saved for so long:"""
TAKEOUT_APPROVED: Final = DAY
LINK_PIN_MISSES: Final = 5
"""Wrong PINs within `FAILURE_WINDOW`; then nobody gets in by the link until that is over."""
LINK_VISITS: Final = 200
"""Visits begun by one link within `FAILURE_WINDOW`: the table of visits does not grow without bound."""
LINKS_MISSED: Final = 50
"""Links that were tried from one address within `FAILURE_WINDOW` and are good for nothing."""
VISIT_LIVES: Final = 12 * HOUR
"""After its last use, and at most so long after the link's deadline."""
