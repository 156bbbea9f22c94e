"""2000–2999: the request itself, whatever it is about. It will fail again as it is."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

INVALID_FIELD: Final = Fault(
    2001,
    "invalid_field",
    422,
    "「{field}」の値を確認してください({reason})。",
    "Check the value of “{field}” ({reason}).",
)
INVALID_BODY: Final = Fault(
    2002,
    "invalid_body",
    400,
    "送られた内容を読み取れません({reason})。",
    "The request could not be read ({reason}).",
)
TOO_LARGE: Final = Fault(
    2003,
    "too_large",
    413,
    "大きすぎます。上限は{limit}バイトです。",
    "Too large. The limit is {limit} bytes.",
)
UNKNOWN_OPERATION: Final = Fault(
    2004,
    "unknown_operation",
    404,
    "この操作はありません。アプリを更新してください。",
    "There is no such operation. Update the client.",
)
METHOD_NOT_ALLOWED: Final = Fault(
    2005,
    "method_not_allowed",
    405,
    "この操作はここでは使えません。",
    "This method is not available here.",
)
IDEMPOTENCY_REUSED: Final = Fault(
    2006,
    "idempotency_key_reused",
    409,
    "同じIdempotency-Keyが別の内容で使われています。新しい値にしてください。",
    "This Idempotency-Key was used for another request. Use a new one.",
)
NOT_FOUND: Final = Fault(
    2007,
    "not_found",
    404,
    "見つかりません。",
    "Not found.",
)
FORBIDDEN: Final = Fault(
    2008,
    "forbidden",
    403,
    "この操作をする権限がありません。管理者にお問い合わせください。",
    "You are not allowed to do this. Ask your administrator.",
)
RESUME_TWICE: Final = Fault(
    2009,
    "resume_twice",
    409,
    "この接続はすでに再開されています。",
    "This connection has resumed already.",
)
RESUME_FIRST: Final = Fault(
    2010,
    "resume_first",
    409,
    "先にresumeを送ってください。",
    "Send resume first.",
)
API_VERSION: Final = Fault(
    2020,
    "api_version",
    426,
    "このアプリは古すぎるか新しすぎて、サーバーと話せません(サーバーのAPIは版{oldest}〜{version}です)。アプリを更新してください。",
    "This app is too old or too new for the server (whose API is version {oldest} to {version}). Update the app.",
)
