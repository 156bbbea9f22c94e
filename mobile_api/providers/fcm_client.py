"""pyfcm, bent into something that answers: it runs in threads of its own, asks once, and hands back what came.

What was found in pyfcm 2.1.1, and is replaced here (tests/unit/test_push_fcm.py):
- it sleeps as long as `Retry-After` says, and asks again, without end; a date there raises;
- its HTTP adapter tries ten times more, with pauses of up to two minutes, on 502 and 503 and on a cut: each may ring;
- every status that it does not know becomes one error, 429 among them, and what Google said is dropped;
- the sign-in goes past the proxy that it was given, waits up to 120 seconds, and once a thread;
- a redirect is followed, and a `.netrc` of the user who runs the server would replace the authorization.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import google.auth.exceptions
import google.auth.transport.requests
import requests
from google.oauth2 import service_account
from pyfcm import FCMNotification
from requests.adapters import HTTPAdapter

from mobile_api.providers.faults import Cut, NotSent
from mobile_api.providers.proxy import Proxy

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
SERVER: Final = "https://fcm.googleapis.com"
CONNECT_SECONDS: Final = 4.0
ANSWER_SECONDS: Final = 10.0
_TIMES: Final = (CONNECT_SECONDS, ANSWER_SECONDS)
_BODY_BYTES: Final = 16 * 1024
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What Google answered."""

    status: int
    retry_after: str | None
    body: bytes


class Job:
    """One push on its way through a thread. Who gives up and who begins settle it between them: never both."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = False
        self._given_up = False

    def begin(self) -> None:
        """Before the first byte of it. Raises `NotSent` where nobody waits any more."""
        with self._lock:
            if self._given_up:
                raise NotSent("given up before it was sent")
            self._begun = True

    def give_up(self) -> bool:
        """Whether it may have been sent."""
        with self._lock:
            self._given_up = True
            return self._begun


class _Adapter(HTTPAdapter):
    """Repeats nothing. `tls`: trusted beside the list that requests brings along, which knows no authority of the site's."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
        return super().proxy_manager_for(proxy, **more, ssl_context=self._tls)


class _Request(google.auth.transport.requests.Request):
    """The sign-in's, with our session and our patience."""

    def __call__(
        self, url: str, method: str = "GET", body: Any = None, headers: Any = None, timeout: Any = None, **more: Any
    ) -> Any:
        more.setdefault("allow_redirects", False)
        return super().__call__(url, method, body, headers, _TIMES, **more)  # type: ignore[no-untyped-call]


class Client(FCMNotification):  # type: ignore[misc] # it ships no types
    """`push` from any thread; a session a thread."""

    def __init__(
        self,
        account: Mapping[str, Any],
        server: str = SERVER,
        proxy: Proxy | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`account`: the service account's JSON. `tls`: what it trusts. Raises `ValueError` where it is none, or names a place for the sign-in
        that is neither https nor this machine."""
        token_uri = urlsplit(str(account.get("token_uri", "")))
        if token_uri.scheme != "https" and not (token_uri.scheme == "http" and token_uri.hostname in LOOPBACK):
            raise ValueError("its token_uri must begin with https://")
        try:
            found = service_account.Credentials.from_service_account_info(account, scopes=[SCOPE])  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, TypeError, google.auth.exceptions.GoogleAuthError):
            raise ValueError("it is no service account's key (JSON) of Google's") from None
        if not found.project_id:
            raise ValueError("it names no project_id")
        super().__init__(credentials=found)
        self.FCM_END_POINT_BASE = f"{server}/v1/projects"
        self._proxy, self._tls = proxy, tls
        self._token_lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self._jobs = threading.local()

    def push(self, job: Job, message: Mapping[str, Any]) -> Reply:
        """Raises `NotSent`, `Cut`."""
        self._jobs.job = job
        reply: Reply = self.notify(**message)
        return reply

    # What pyfcm's `notify` calls

    @property
    def requests_session(self) -> requests.Session:
        session: requests.Session | None = getattr(self.thread_local, "requests_session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.mount("https://", _Adapter(self._tls))
            session.mount("http://", HTTPAdapter(max_retries=0))
            if self._proxy is not None:
                session.proxies["https"] = _with_password(self._proxy)
            self.thread_local.requests_session = session
            self._sessions.append(session)
        return session

    def send_request(self, payload: Any = None, timeout: Any = None) -> Reply:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._access()}"}
        session = self.requests_session
        self._jobs.job.begin()
        try:
            with session.post(
                self.fcm_end_point, data=payload, headers=headers, timeout=_TIMES, allow_redirects=False, stream=True
            ) as response:
                body = response.raw.read(_BODY_BYTES, decode_content=True)
                if response.status_code == 401:
                    self._forget_access()
                return Reply(response.status_code, response.headers.get("Retry-After"), body)
        except (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.ProxyError,
            requests.exceptions.SSLError,
        ) as error:
            raise NotSent(type(error).__name__) from None
        except requests.exceptions.ConnectionError as error:
            never = "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
            raise (NotSent if never else Cut)(type(error).__name__) from None
        except Exception as error:
            raise Cut(type(error).__name__) from None

    def parse_response(self, response: Any) -> Any:
        return response

    def _access(self) -> str:
        """Raises `NotSent`."""
        with self._token_lock:
            try:
                if not self.credentials.valid:
                    self.credentials.refresh(_Request(self.requests_session))
            except Exception as error:
                raise NotSent(f"Google's sign-in: {type(error).__name__}") from None
            return str(self.credentials.token)

    def _forget_access(self) -> None:
        with self._token_lock:
            self.credentials.token = None

    def close(self) -> None:
        """When no thread uses it any more."""
        for session in self._sessions:
            session.close()


def _with_password(proxy: Proxy) -> str:
    if not proxy.user:
        return proxy.url
    user, password = (quote(part, safe="") for part in (proxy.user, proxy.password))
    return proxy.url.replace("http://", f"http://{user}:{password}@", 1)
