"""8000–8999: not now. The same request will do later, after `retry_after` seconds where they are given."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

DATABASE_BUSY: Final = Fault(
    8001,
    "database_busy",
    503,
    "混み合っています。{retry_after}秒後にもう一度お試しください。",
    "The server is busy. Try again in {retry_after} seconds.",
)
DISK_FULL: Final = Fault(
    8002,
    "disk_full",
    507,
    "サーバーの空き容量が足りないため保存できません。管理者にお知らせください。空きができると自動で元に戻ります。",
    "The server's disk is full, nothing was saved. Tell your administrator; it heals by itself once there is room.",
)
DECODER_BUSY: Final = Fault(
    8003,
    "decoder_busy",
    503,
    "写真の処理が混み合っています。少し待ってもう一度お試しください。",
    "Photo processing is busy. Try again in a moment.",
)
RESTARTING: Final = Fault(
    8004,
    "restarting",
    503,
    "サーバーを再起動しています。自動で接続し直します。",
    "The server is restarting. Clients reconnect by themselves.",
)
RATE_LIMITED: Final = Fault(
    8005,
    "rate_limited",
    429,
    "操作が速すぎます。{retry_after}秒後にもう一度お試しください。",
    "Too fast. Try again in {retry_after} seconds.",
)
SENDS_IN_PROGRESS: Final = Fault(
    8006,
    "request_in_progress",
    409,
    "同じ操作を処理中です。少し待ってください。",
    "The same request is being handled. Wait a moment.",
)
FILE_STORE_BUSY: Final = Fault(
    8007,
    "file_store_busy",
    503,
    "ファイルの保存先から応答がありません。{retry_after}秒後にもう一度お試しください。",
    "The place where files are kept does not answer. Try again in {retry_after} seconds.",
)
PRINTER_BUSY: Final = Fault(
    8008,
    "printer_busy",
    503,
    "PDFの作成が混み合っています。{retry_after}秒後にもう一度お試しください。",
    "Several notes are being made into PDFs. Try again in {retry_after} seconds.",
)
