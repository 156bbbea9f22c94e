"""The OpenAPI document is complete, and every example in it is true."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chat_server.http.calls import AnyCall, Nothing
from tests.support.calls import CALLS
from tests.support.schema import errors

_WITHOUT_A_KEY = {
    "start_sign_in",
    "prove_password",
    "give_addresses",
    "begin_visit",
    "deliver",
    "renew_push",
    "begin_file",
    "add_to_file",
    "cancel_file",
    "begin_upload",
    "add_to_upload",
    "cancel_upload",
    "search",
    "sync",
    "try_push",
    "post_by_hook",
    "show_staff_difference",
    "import_staff_file",
}
"""The steps of sign-in work once each; asking for addresses, searching, syncing, trying a push and showing a staff file's difference change
nothing; of uploads the offset tells what was done; a visit that nobody got the token of brings nothing, and all of it is said once; a post by a webhook has its own id; a staff file that was imported has
no difference any more (docs/protocol.md, section 6)."""


def contents(node: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every media type object of the document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "application/json" and "schema" in value:
                yield path, value
            yield from contents(value, f"{path}/{key}")
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from contents(value, f"{path}/{position}")


def test_every_example_fits_its_schema(document: Mapping[str, Any]) -> None:
    examples = [(path, content) for path, content in contents(document["paths"]) if "example" in content]
    assert len(examples) > 20
    for path, content in examples:
        problems = list(errors(content["schema"], content["example"], document))
        assert not problems, f"{path}: {problems}"


def test_every_json_body_has_an_example(document: Mapping[str, Any]) -> None:
    without = [
        what["operationId"]
        for methods in document["paths"].values()
        for what in methods.values()
        if "application/json" in what.get("requestBody", {}).get("content", {})
        and "example" not in what["requestBody"]["content"]["application/json"]
    ]
    assert without == []


def test_references_resolve_and_nothing_is_left_over(document: Mapping[str, Any]) -> None:
    used: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                used.add(node["$ref"].removeprefix("#/components/schemas/"))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert used == set(document["components"]["schemas"])


def test_the_document_is_openapi_3_1(document: Mapping[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["components"]["securitySchemes"]["access_token"]["scheme"] == "bearer"
    for path, methods in document["paths"].items():
        in_path = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for method, what in methods.items():
            names = [(one["in"], one["name"]) for one in what.get("parameters", ())]
            assert {name for place, name in names if place == "path"} == in_path
            assert any(status.startswith("2") for status in what["responses"])
            keyed = method not in ("get", "head", "options") and what["operationId"] not in _WITHOUT_A_KEY
            assert (("header", "Idempotency-Key") in names) == keyed, what["operationId"]


def test_operation_ids_are_unique() -> None:
    ids = [call.id for call in CALLS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_declaration_says_what_its_handler_takes(call: AnyCall) -> None:
    """`body` and `query` of a call are those of its handler's `Ctx[body, query]`: types are checked once, by hand."""
    hints = typing.get_type_hints(call.handler)
    (name,) = inspect.signature(call.handler).parameters
    assert typing.get_args(hints[name]) == (call.body or Nothing, call.query or Nothing)
