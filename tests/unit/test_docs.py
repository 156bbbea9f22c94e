"""What the documents say is what the code does."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import msgspec

from chat_server.config import ENVIRONMENT, Listener, Settings
from chat_server.domain.closing import NAMES
from chat_server.domain.errors import FAULTS
from chat_server.domain.policy import Policy
from chat_server.services.commands import COMMANDS
from scripts import errors_page

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_page_of_errors_is_that_of_the_table() -> None:
    assert errors_page.PAGE.read_text(encoding="utf-8") == errors_page.render(), "run python -m scripts.errors_page"


def test_every_error_speaks_both_languages_and_ends_as_a_sentence() -> None:
    for fault in FAULTS.values():
        assert fault.ja.endswith(("。", "い")), fault.name
        assert fault.en.endswith("."), fault.name
        assert re.search("[ぁ-ん]", fault.ja), fault.name


def test_every_error_is_in_the_range_of_its_meaning() -> None:
    for fault in FAULTS.values():
        assert (fault.status == 401) <= (1000 <= fault.code < 2000), fault.name
        assert (fault.status >= 500) == (fault.code >= 9000 or fault.status in (503, 507)), fault.name


def test_every_close_code_is_documented() -> None:
    for code, name in NAMES.items():
        assert f"| {code} | {name} |" in PROTOCOL


def test_every_command_is_documented() -> None:
    for command in COMMANDS:
        tag = command.__struct_config__.tag
        assert f"`{tag}`" in PROTOCOL or f'"op": "{tag}"' in PROTOCOL, tag


def test_every_field_of_a_command_is_documented() -> None:
    for command in COMMANDS:
        for field in msgspec.structs.fields(command):
            if field.name != "ref":
                assert f"`{field.name}`" in PROTOCOL or f'"{field.name}"' in PROTOCOL, (command, field.name)


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
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", page)
    assert named
    for file, test in named:
        assert file in files, file
        assert not test or f"def {test}(" in files[file], (file, test)


def test_services_hold_no_sql() -> None:
    """docs/decisions/0001: between services and engines stand the queries."""
    for path in (ROOT / "chat_server" / "services").glob("*.py"):
        assert not re.search(r"\b(tx|reader)\.(one|all|run)\(", path.read_text(encoding="utf-8")), path.name
