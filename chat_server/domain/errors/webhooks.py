"""7000–7099: webhooks."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

HOOK_NOT_FOUND: Final = Fault(
    7001,
    "hook_not_found",
    404,
    "Webhookが見つかりません。アドレス、署名、時刻を確かめてください。",
    "There is no such webhook. Look at its address, the signature and the clock.",
)
HOOKS_NOT_ALLOWED: Final = Fault(
    7002,
    "hooks_not_allowed",
    403,
    "団体のルールにより、Webhookを使えません。団体の管理者にご相談ください。",
    "Your organization's rules do not let you use webhooks. Ask its administrators.",
)
TOO_MANY_HOOKS: Final = Fault(
    7003,
    "too_many_hooks",
    409,
    "1つのトークルームのWebhookは{limit}件までです。使わないものを削除してください。",
    "A room has at most {limit} webhooks. Remove one that is not used.",
)
HOOK_URL_REFUSED: Final = Fault(
    7004,
    "hook_url_refused",
    422,
    "この送信先は使えません({reason})。",
    "This address cannot be used ({reason}).",
)
HOOK_UNREACHABLE: Final = Fault(
    7010,
    "hook_unreachable",
    409,
    "送信先のサーバーにつながりません。",
    "The other server cannot be reached.",
)
HOOK_ADDRESS_REFUSED: Final = Fault(
    7011,
    "hook_address_refused",
    409,
    "送信先の名前が、送信を許可していないネットワークを指しています。運用者にご相談ください。",
    "The other server's name leads into a network that nothing may be sent to. Ask the operator.",
)
HOOK_TLS: Final = Fault(
    7012,
    "hook_tls",
    409,
    "送信先の証明書を確かめられません。",
    "The other server's certificate cannot be verified.",
)
HOOK_TIMEOUT: Final = Fault(
    7013,
    "hook_timeout",
    409,
    "送信先が時間内に応答しません。",
    "The other server does not answer in time.",
)
HOOK_CUT: Final = Fault(
    7014,
    "hook_cut",
    409,
    "送信先が応答の前に接続を切りました。",
    "The other server closed the connection before it answered.",
)
HOOK_REFUSED: Final = Fault(
    7015,
    "hook_refused",
    409,
    "送信先が受け取りませんでした(HTTP {status})。",
    "The other server did not take it (HTTP {status}).",
)
HOOK_RESTORED: Final = Fault(
    7016,
    "hook_restored",
    409,
    "サーバーが控えから復元されたため、送信を止めました。届いているかを確かめ、必要なら再送してください。",
    "The server was restored from a backup, so nothing was sent. See whether it arrived before; if not, send it again.",
)
