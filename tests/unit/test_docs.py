"""What the documents say is what the code does; docs/protocol.md has tests of its own (test_protocol_page.py)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import msgspec

from chat_server.config import ENVIRONMENT, Listener, Settings
from chat_server.domain.errors import FAULTS
from chat_server.domain.policy import Policy
from scripts import errors_page

ROOT = Path(__file__).parents[2]


def test_the_page_of_errors_is_that_of_the_table() -> None:
    assert errors_page.PAGE.read_text(encoding="utf-8") == errors_page.render(), "run python -m scripts.errors_page"
    missing = [code for code in FAULTS if f"| {code} | `" not in errors_page.render()]
    assert missing == [], "a range that the page does not know"


def test_every_error_speaks_both_languages_and_ends_as_a_sentence() -> None:
    for fault in FAULTS.values():
        assert fault.ja.endswith(("。", "い")), fault.name
        assert fault.en.endswith("."), fault.name
        assert re.search("[ぁ-ん]", fault.ja), fault.name


def test_every_error_is_in_the_range_of_its_meaning() -> None:
    for fault in FAULTS.values():
        assert (fault.status == 401) <= (1000 <= fault.code < 2000), fault.name
        assert (fault.status >= 500) == (fault.code >= 9000 or fault.status in (503, 507)), fault.name


def test_the_example_settings_name_every_setting_with_its_default() -> None:
    text = (ROOT / "config" / "renraku.example.toml").read_text(encoding="utf-8")
    example = msgspec.convert(tomllib.loads(text), Settings)
    assert example == Settings()
    for struct in (Settings, Listener):
        for field in msgspec.structs.fields(struct):
            assert re.search(rf"^(\[\[)?{field.name}\b", text, re.MULTILINE), field.name


def test_the_environment_is_documented() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "config" / "renraku.example.toml").read_text(
        encoding="utf-8"
    )
    for name in ENVIRONMENT:
        assert name in text, name


def test_every_rule_of_an_organization_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "administration.md").read_text(encoding="utf-8")
    for rule, default in asdict(Policy()).items():
        assert re.search(rf"^\| `{rule}` \|.*\| `{default}` \|$", page, re.MULTILINE), rule


def test_links_in_the_readme_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / target).exists(), target


def test_every_test_that_the_security_page_names_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    folders = (("tests", "test_*.py"), ("bench", "test_*.py"), ("web/tests", "*.test.ts"))
    files = [path for folder, names in folders for path in (ROOT / folder).rglob(names)]
    named = re.findall(r"`(test_\w+\.py|\w+\.test\.ts)(?:::([^`]+))?`", page)
    assert {Path(file).suffix for file, _ in named} == {".py", ".ts"}
    for file, test in named:
        found = [path.read_text(encoding="utf-8") for path in files if path.name == file]
        assert found, file
        begins = f"def {test}(" if file.endswith(".py") else f"'{test}'"
        assert not test or any(begins in text for text in found), (file, test)


def test_every_module_that_the_security_page_names_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z]+/)+(?:\w+\.py)?)`", page)
    assert named
    for path in named:
        assert (ROOT / "chat_server" / path).exists() or (ROOT / path).exists(), path


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def test_services_hold_no_sql() -> None:
    """docs/decisions/0001: between services and engines stand the queries."""
    for path in (ROOT / "chat_server" / "services").glob("*.py"):
        assert not re.search(r"\b(tx|reader)\.(one|all|run)\(", path.read_text(encoding="utf-8")), path.name
