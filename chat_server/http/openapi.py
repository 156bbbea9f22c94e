"""The OpenAPI 3.1 document, made from the same values as the routes: it cannot say anything else than they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from chat_server.domain import errors
from chat_server.domain.errors import Fault
from chat_server.domain.ids import ID_LENGTH
from chat_server.http.authentication import ROLES
from chat_server.http.calls import Access, AnyCall
from chat_server.http.files import FileAnswer
from chat_server.http.replies import Download, Made
from chat_server.http.shapes import Refusal
from chat_server.services.idempotency import FIELD as KEY_HEADER

_REFS: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_ID: Final = {"type": "string", "pattern": f"^[0-9a-v]{{{ID_LENGTH}}}$"}

_ALWAYS: Final = (
    errors.TOKEN_IN_QUERY,
    errors.ORIGIN_REFUSED,
    errors.API_VERSION,
    errors.DATABASE_BUSY,
    errors.INTERNAL,
)
_SIGNED_IN: Final = (errors.NOT_SIGNED_IN, errors.TOKEN_INVALID, errors.ACCOUNT_DISABLED)
_DEVICE: Final = (errors.DEVICE_WAITS, errors.DEVICE_TO_WIPE, errors.DEVICE_NOT_HERE)
_WITH_BODY: Final = (errors.INVALID_BODY, errors.TOO_LARGE)
_VALIDATED: Final = (errors.INVALID_FIELD,)
_UNSAFE: Final = (errors.DISK_FULL,)
_KEPT: Final = (errors.INVALID_FIELD, errors.IDEMPOTENCY_REUSED, errors.SENDS_IN_PROGRESS)
_BY_ACCESS: Final[dict[Access, tuple[Fault, ...]]] = {
    Access.ANYONE: (),
    Access.DEVICE: (),
    Access.BOT: (),
    Access.SIGNED_IN: _DEVICE,
    Access.MEMBER: (*_DEVICE, errors.GUEST_NOT_ALLOWED),
    **dict.fromkeys(ROLES, (*_DEVICE, errors.GUEST_NOT_ALLOWED, errors.FORBIDDEN)),
}

_ABOUT: Final = (
    "Sign in, lists and files. Everything that is live goes over the WebSocket: docs/protocol.md.\n\n"
    "Ids are opaque, times are UTC milliseconds, unknown fields are to be ignored. What one may not see answers 404, "
    "exactly as what does not exist. The range of an error's `code` says what to do: 1000–1999 sign in or refresh; "
    "2000–7999 the request will fail again as it is, show the text; 8000–8999 try again later, with the same "
    f"`{KEY_HEADER}`; 9000–9999 a fault of the server, show the number.\n\n"
    "A client may send `Renraku-Api: 1`; a server that does not speak that version of these calls answers 426, error 2020. "
    "docs/mobile.md tells how an app for a phone is built on them."
)

_KEPT_FOR_A_DAY: Final = "The same key with the same request gives the first answer again for 24 hours."
_REPEATS: Final = "Random and new for each token: under the same key a request whose answer was lost may be repeated."


def document(calls: Sequence[AnyCall], version: str) -> dict[str, Any]:
    """The whole document as plain JSON values."""
    types: list[Any] = [Refusal]
    for call in calls:
        types += [one for one in (call.body, _answer_type(call)) if one is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFS)
    by_type = {id(one): schema for one, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "連絡 (Renraku)", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(call.tag for call in calls)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "access_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "From signing in; lives ten minutes. Never in a query string.",
                }
            },
        },
    }


def faults_of(call: AnyCall) -> list[Fault]:
    """Everything that a call may be refused with, each once, by number."""
    found = [*_ALWAYS, *_BY_ACCESS[call.access], *call.faults]
    if call.access is not Access.ANYONE:
        found += _SIGNED_IN
    if not call.safe:
        found += _WITH_BODY
    if call.body is not None or call.query is not None:
        found += _VALIDATED
    if not call.safe and call.changes:
        found += _UNSAFE
    if call.keeps:
        found += _KEPT
    return sorted({fault.code: fault for fault in found}.values(), key=lambda fault: fault.code)


def _answer_type(call: AnyCall) -> Any:
    return None if call.answer in (FileAnswer, Download, Made) else call.answer


def _operation(call: AnyCall, by_type: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": call.id, "summary": call.summary, "tags": [call.tag]}
    if call.note:
        operation["description"] = call.note
    operation["security"] = [] if call.access is Access.ANYONE else [{"access_token": []}]
    if parameters := [*_path_parameters(call), *_query_parameters(call), *_header_parameters(call)]:
        operation["parameters"] = parameters
    if call.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": _content(by_type[id(call.body)], call.example)},
        }
    elif call.raw is not None:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    operation["responses"] = _responses(call, by_type)
    return operation


def _content(schema: Any, example: Any) -> dict[str, Any]:
    content = {"schema": schema}
    if example is not None:
        content["example"] = msgspec.to_builtins(example)
    return content


def _path_parameters(call: AnyCall) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(call.path):
        schema = {"type": "string"} if name == "capability" else _ID
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(call: AnyCall) -> Iterable[dict[str, Any]]:
    if call.query is None:
        return
    _, components = msgspec.json.schema_components([call.query], ref_template=_REFS)
    struct = components[call.query.__name__]
    for name, schema in struct["properties"].items():
        yield {"name": name, "in": "query", "required": name in struct.get("required", ()), "schema": schema}


def _header_parameters(call: AnyCall) -> Iterable[dict[str, Any]]:
    if call.keyed:
        yield {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "description": _KEPT_FOR_A_DAY if call.keeps else _REPEATS,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        }


def _responses(call: AnyCall, by_type: dict[int, Any]) -> dict[str, Any]:
    if call.answer in (FileAnswer, Download, Made):
        success: dict[str, Any] = {"description": "The bytes", "content": {"*/*": {"schema": {}}}}
    elif call.answer is None:
        success = {"description": "Done"}
    else:
        success = {
            "description": "Done",
            "content": {"application/json": _content(by_type[id(call.answer)], call.example_answer)},
        }
    responses = {str(call.status): success}
    by_status: dict[int, list[Fault]] = {}
    for fault in faults_of(call):
        by_status.setdefault(fault.status, []).append(fault)
    for status, faults in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "; ".join(f"{fault.code} {fault.name}" for fault in faults),
            "content": {"application/json": {"schema": by_type[id(Refusal)]}},
        }
    return responses
