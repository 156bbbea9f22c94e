"""1000–1999: who you are. Sign in again, or refresh the session."""

from __future__ import annotations

from typing import Final

from chat_server.domain.errors.fault import Fault

SIGN_IN_FAILED: Final = Fault(
    1001,
    "sign_in_failed",
    401,
    "団体、ユーザーIDまたはパスワードが違います。もう一度入力してください。",
    "The organization, login or password is wrong. Please try again.",
)
SIGN_IN_THROTTLED: Final = Fault(
    1002,
    "sign_in_throttled",
    429,
    "失敗が続いたため、しばらくログインできません。{retry_after}秒後にもう一度お試しください。",
    "Too many failed attempts. Try again in {retry_after} seconds.",
)
NOT_SIGNED_IN: Final = Fault(
    1003,
    "not_signed_in",
    401,
    "ログインしてください。",
    "Please sign in.",
)
TOKEN_INVALID: Final = Fault(
    1004,
    "token_invalid",
    401,
    "ログインの有効期限が切れたか、正しくありません。もう一度ログインしてください。",
    "The sign-in has expired or is not valid. Please sign in again.",
)
REFRESH_REUSED: Final = Fault(
    1005,
    "refresh_token_reused",
    401,
    "この端末のログインが二重に使われたため、安全のため終了しました。もう一度ログインしてください。",
    "This device's sign-in was used twice, so it was ended for safety. Please sign in again.",
)
FLOW_INVALID: Final = Fault(
    1006,
    "sign_in_flow_invalid",
    401,
    "ログインの手順が途中で切れました。最初からやり直してください。",
    "The sign-in was interrupted. Please start again.",
)
TOKEN_IN_QUERY: Final = Fault(
    1007,
    "token_in_query",
    400,
    "アドレスに秘密の値が含まれています。値はAuthorizationヘッダーで送ってください。",
    "A secret stands in the address. Send it in the Authorization header instead.",
)
ORIGIN_REFUSED: Final = Fault(
    1008,
    "origin_refused",
    403,
    "このページからは接続できません。サーバーのアドレスを開き直してください。",
    "Connections from this page are refused. Open the server's own address.",
)
PASSWORD_WRONG: Final = Fault(
    1009,
    "password_wrong",
    403,
    "現在のパスワードが違います。",
    "The current password is wrong.",
)
