"""Everything that can go wrong, as one tree.

* `RenrakuError`: the server's numbered answer (docs/errors.md). Its range says what to do.
* `ClientError`: what the client found out by itself.
    * `Unreachable`: no connection for as long as the caller had patience. Trying later may help.
    * `Stopped`: the client gave up until a person or a program changes something.
        * `SignInRequired`: no session, or it is over.
        * `SignedOut`: this device was signed out; drop local data.
        * `AccountDisabled`: the account was disabled; drop local data.
        * `ServerRefused`: no Renraku server there, or it will not talk to us.
        * `ServerUntrusted`: its certificate could not be verified.
        * `ProtocolFault`: the server closed because of a mistake of this client.
        * `ClientClosed`: `close()` was called.
    * `UnexpectedAnswer`: an HTTP answer that is not of this protocol (a proxy's error page, say).
    * `OutboxInUse`, `OutboxBroken`: the folder of the durable outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class RenrakuError(Exception):
    """An error the server numbered. `ja` and `en` are sentences for the person, who may be told either."""

    def __init__(
        self,
        code: int,
        name: str,
        field: str | None = None,
        params: Mapping[str, Any] | None = None,
        ja: str = "",
        en: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(f"{code} {name}" + (f" ({field})" if field else "") + (f": {en}" if en else ""))
        self.code = code
        self.name = name
        self.field = field
        self.params = dict(params or {})
        self.ja = ja
        self.en = en
        self.status = status

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], status: int | None = None) -> RenrakuError:
        """From an `error` frame, or the value of `error` in an HTTP body. Raises KeyError, TypeError, ValueError."""
        field = body.get("field")
        params = body.get("params")
        return cls(
            int(body["code"]),
            str(body["name"]),
            str(field) if field is not None else None,
            params if isinstance(params, Mapping) else {},
            str(body.get("ja", "")),
            str(body.get("en", "")),
            status,
        )

    @property
    def retryable(self) -> bool:
        """8000–8999: the same call will work later, and its key makes repeating it safe."""
        return 8000 <= self.code <= 8999

    @property
    def token_refused(self) -> bool:
        """The access token was missing, expired or wrong: refresh it and call again."""
        return self.code in (1003, 1004)

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asked to wait, if it did."""
        value = self.params.get("retry_after")
        usable = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        return float(value) if usable else None  # type: ignore[arg-type]


class ClientError(Exception):
    """What the client found out by itself. `ja` and `en` tell the person what to do."""

    ja: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.en} ({detail})" if detail else self.en)
        self.detail = detail


class Unreachable(ClientError):
    """The caller's patience ended; `__cause__` is the last thing that went wrong."""

    ja = "サーバーに接続できません。ネットワークを確認してください。"
    en = "The server cannot be reached. Check the network."


class UnexpectedAnswer(ClientError):
    """An HTTP answer with `status` that is not of this protocol."""

    ja = "サーバーから想定外の応答がありました。管理者にお知らせください。"
    en = "The server gave an unexpected answer. Tell your administrator."

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.retry_after = retry_after


class OutboxInUse(ClientError):
    """Another process uses this outbox folder."""

    ja = "送信待ちフォルダーは別のプログラムが使用中です。そちらを終了してください。"
    en = "Another program uses this outbox folder. End it first."


class OutboxBroken(ClientError):
    """A line in the middle of the journal cannot be read; nothing was changed."""

    ja = "送信待ちの記録が壊れています。フォルダーを別の場所に移してください。"
    en = "The outbox journal is damaged. Move its folder away."


class Stopped(ClientError):
    """The client does not reconnect until something changes."""


class SignInRequired(Stopped):
    """No session, or one that is over."""

    ja = "ログインしてください。"
    en = "Please sign in."


class SignedOut(Stopped):
    """This device was signed out (close code 4504). Local data has to go."""

    ja = "この端末はログアウトされました。"
    en = "This device was signed out."


class AccountDisabled(Stopped):
    """The account was disabled (close code 4505). Local data has to go."""

    ja = "このアカウントは停止されています。管理者にお問い合わせください。"
    en = "This account is disabled. Ask your administrator."


class DeviceBarred(Stopped):
    """This device may only ask how it stands, `GET /api/devices/me` (close code 4507): it waits for approval, is to clear its
    data, or may not come from this network."""

    ja = "この端末は、いまは使えません。管理者の承認を待っているか、使えないネットワークです。"
    en = "This device cannot be used now: it waits for an administrator, or may not come from this network."


class ServerRefused(Stopped):
    """There is no Renraku server at this address, or it refuses the handshake."""

    ja = "このアドレスのサーバーには接続できません。アドレスを確認してください。"
    en = "The server at this address refuses the connection. Check the address."


class ServerUntrusted(Stopped):
    """The certificate could not be verified. Never retried: somebody may be in between."""

    ja = "サーバーの証明書を確認できません。団体のCA証明書を指定してください。"
    en = "The server's certificate cannot be verified. Give the organization's CA certificate as ca_file."


class ProtocolFault(Stopped):
    """The server closed with a code that means a mistake in this client (4500–4502, 4506 and unknown 45xx–49xx)."""

    ja = "アプリの不具合のため切断されました。アプリを更新してください。"
    en = "The connection was closed because of a fault in this client. Update it."

    def __init__(self, close_code: int, detail: str = "") -> None:
        super().__init__(f"close code {close_code}" + (f", {detail}" if detail else ""))
        self.close_code = close_code


class ClientClosed(Stopped):
    """`close()` was called while this was under way."""

    ja = "終了しました。"
    en = "The client was closed."
