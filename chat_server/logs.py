"""Structured logs: one JSON object a line, or text for a terminal. Never message content, never a token."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any, TextIO, cast

import structlog

_SECRET_KEYS = frozenset(
    {"token", "password", "authorization", "refresh_token", "access_token", "flow", "text", "blocks"}
)


def _drop_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """The last net under everything: whoever logs a secret by accident logs its name only."""
    for key in _SECRET_KEYS & event.keys():
        event[key] = "…"
    return event


def set_up(form: str) -> None:
    """`form`: json or text. Everything goes to standard error; standard output belongs to commands."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_secrets,
    ]
    if form == "json":
        shared += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # Plain: the pretty traceback prints local variables, and those hold tokens and what people wrote.
        plain = structlog.dev.plain_traceback
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    structlog.configure(
        processors=shared,
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Steady(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    # uvicorn, websockets and the decoders use the standard library; only what is wrong is worth a line.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Steady:
    """A log that cannot be written (its reader is gone, its disk is full) costs its lines, and no request and no orderly stop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class _Lines(logging.Formatter):
    """Records of the standard library as JSON lines, with what they carry in `extra`."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {key: value for key, value in vars(record).items() if key not in self._PLAIN}
        event |= {"event": record.getMessage(), "logger": record.name, "level": record.levelname.lower()}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(_drop_secrets(None, "", event), ensure_ascii=False, default=str)


def quiet() -> None:
    """For commands that answer on standard output: warnings and errors only."""
    set_up("text")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
