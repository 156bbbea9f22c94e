"""4030–4099: notes, and their documents."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

NOTE_NOT_FOUND: Final = Fault(
    4030,
    "note_not_found",
    404,
    "ノートが見つかりません。",
    "There is no such note.",
)
NOTE_VERSION_NOT_FOUND: Final = Fault(
    4031,
    "note_version_not_found",
    404,
    "ノートのこの版はありません。",
    "The note has no such version.",
)
TOO_MANY_NOTES: Final = Fault(
    4032,
    "too_many_notes",
    409,
    "ノートは1つのトークルームに{limit}件までです。使わないものを削除してください。",
    "A room has at most {limit} notes. Delete some that nobody needs.",
)
NOTE_TOO_LONG: Final = Fault(
    4033,
    "note_too_long",
    422,
    "ノートの文章は全部で{limit}文字までです。続きは別のノートにしてください。",
    "The texts of a note have at most {limit} characters together. Go on in another note.",
)
NOTE_TOO_LARGE: Final = Fault(
    4034,
    "note_too_large",
    422,
    "ノートの項目は{limit}件までです。続きは別のノートにしてください。",
    "A note has at most {limit} blocks. Go on in another note.",
)
TOO_MUCH_AT_ONCE: Final = Fault(
    4035,
    "too_much_at_once",
    422,
    "一度に取り込める写真とファイルは{limit}件までです。何回かに分けてください。",
    "At most {limit} photos and files are taken over at once. Do it in several steps.",
)
NOTE_ENTRY_UNKNOWN: Final = Fault(
    4036,
    "note_entry_unknown",
    422,
    "このノートに取り込まれていない投稿です。投稿を選んで取り込んでください。",
    "This note did not take over such a message. Choose the message and take it over.",
)
NOT_NOTE_OWNER: Final = Fault(
    4037,
    "not_note_owner",
    403,
    "ノートを作成した人とトークルームの管理者だけができます。",
    "Only whoever made the note, and the room's owners, can do this.",
)
PRINTER_FAILED: Final = Fault(
    4038,
    "printer_failed",
    422,
    "このノートはPDFにできませんでした。長すぎる場合は分けるか、ZIPで保存してください。",
    "This note could not be made into a PDF. If it is very long, divide it, or save it as a ZIP.",
)
PRINTER_MISSING: Final = Fault(
    4039,
    "printer_missing",
    422,
    "このサーバーではPDFを作れません。ZIPで保存するか、管理者にお知らせください(libpangoが必要です)。",
    "This server cannot make PDFs. Save the note as a ZIP, or tell your administrator: libpango is missing.",
)
NOTE_EXPORT_TOO_LARGE: Final = Fault(
    4040,
    "note_export_too_large",
    413,
    "写真とファイルの合計が{limit}バイトを超えるため、ZIPにできません。ノートを分けるか、ファイルを1つずつ保存してください。",
    "The photos and files together are more than {limit} bytes. Divide the note, or save them one by one.",
)
