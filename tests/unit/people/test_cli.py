"""The command line for people, organizations and staff files: on the data folder itself, and through a running server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import httpx2
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_server.cli.import_staff import import_staff
from chat_server.cli.organization import audit_group, keys_group, organization_group
from chat_server.cli.table import table, width
from chat_server.cli.user import user_group
from chat_server.domain.policy import RULES, Policy
from chat_server.storage.folder import lock_folder
from chat_server.storage.sqlite.opening import open_writer
from tests.support.patience import DEADLINE
from tests.support.process import server_process
from tests.unit.people.test_staff_file import HEADER, SAMPLES

Run = Callable[..., Result]


@click.group()
def root() -> None:
    """As `renraku`, without the commands that are tested elsewhere."""


for command in (user_group, organization_group, audit_group, keys_group, import_staff):
    root.add_command(command)


def invoke(config: Path | None, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(root, arguments, obj=config, input=typed, catch_exceptions=False)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("RENRAKU_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    monkeypatch.delenv("RENRAKU_CONFIG", raising=False)
    monkeypatch.delenv("RENRAKU_ORGANIZATION", raising=False)
    return partial(invoke, None)


@pytest.fixture
def midorino(run: Run) -> Run:
    assert run("organization", "add", "midorino", "みどりの市").exit_code == 0
    return run


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_person_from_first_to_last(midorino: Run) -> None:
    run = midorino
    added = run(
        "user", "add", "takahashi", "--name", "高橋 健", "--reading", "タカハシ ケン", "--role", "auditor", "--password-stdin",
        typed="みどりの町の長い合言葉\n",
    )  # fmt: skip
    assert len(ok(added).strip()) == 26
    assert "takahashi" in ok(run("user", "list"))
    assert "変更しました" in ok(run("user", "rename", "takahashi", "--name", "田中 健"))
    assert (
        ok(run("user", "roles", "takahashi", "--grant", "organization_admin", "--withdraw", "auditor"))
        == "organization_admin\n"
    )
    assert "変更しました" in ok(run("user", "disable", "TAKAHASHI"))
    assert "すでに" in ok(run("user", "disable", "takahashi"))
    assert ok(run("user", "list")).splitlines() == ["ログイン名  氏名  ふりがな  所属  職  種別  役割  状態"]
    shown = ok(run("user", "list", "--disabled"))
    assert "停止 20" in shown
    assert "変更しました" in ok(run("user", "enable", "takahashi"))
    [person] = json.loads(ok(run("user", "list", "たかはし", "--json")))
    assert (person["login"], person["name"], person["former_name"]) == ("takahashi", "田中 健", "高橋")
    assert "変更しました" in ok(
        run("user", "password", "takahashi", "--password-stdin", typed="べつの町の合言葉です\n")
    )
    assert ok(run("user", "devices", "takahashi")).splitlines() == ["端末  名前  ゾーン  状態  最終利用"]
    assert ok(run("user", "sign-out", "takahashi")).startswith("0台")
    unknown = run("user", "approve", "takahashi", "0" * 26, "--issued")
    assert (unknown.exit_code, "その端末はありません。" in unknown.stderr) == (1, True)
    assert "異常なし" in ok(run("audit", "verify"))
    seq, digest = ok(run("audit", "head")).split()
    assert "異常なし" in ok(run("audit", "verify", "--witness", seq, digest))
    broken = run("audit", "verify", "--witness", seq, "0" * 64)
    assert (broken.exit_code, "witness" in broken.stderr) == (1, True)
    assert len(ok(run("keys", "rotate", "token")).strip()) == 26


def test_a_guest_and_a_bot(midorino: Run) -> None:
    run = midorino
    ok(run("user", "add", "doro", "--name", "伊藤 誠", "--reading", "いとう まこと", "--no-password"))
    ok(
        run(
            "user",
            "add",
            "gyosha",
            "--kind",
            "guest",
            "--name",
            "業者 一郎",
            "--sponsor",
            "doro",
            "--until",
            "R18.3.31",
            "--no-password",
        )
    )
    ok(run("user", "add", "memo", "--kind", "bot", "--name", "メモ帳"))
    people = {one["login"]: one for one in json.loads(ok(run("user", "list", "--json")))}
    assert people["gyosha"]["guest_of"] == "伊藤 誠"
    assert "2036-03-31まで" in ok(run("user", "list"))
    refused = run(
        "user",
        "add",
        "x",
        "--kind",
        "guest",
        "--name",
        "y",
        "--sponsor",
        "none",
        "--until",
        "2036-01-01",
        "--no-password",
    )
    assert (refused.exit_code, "[6001]" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "typed", "number"),
    [
        (("user", "disable", "nobody"), "", "[6001]"),
        (("user", "list", "-o", "nowhere"), "", "[6004]"),
        (("user", "add", "高橋", "--name", "x", "--reading", "え", "--no-password"), "", "[2001]"),
        (("user", "add", "a", "--name", "x", "--reading", "え", "--password-stdin"), "short\n", "[6003]"),
        (("user", "add", "a", "--name", "x", "--reading", "え", "--no-password", "--department", "1"), "", "[6008]"),
        (("organization", "add", "MIDORINO", "x"), "", "[6007]"),
    ],
)
def test_errors_have_a_number_and_say_what_to_do(
    midorino: Run, arguments: tuple[str, ...], typed: str, number: str
) -> None:
    result = midorino(*arguments, typed=typed)
    assert result.exit_code == 1
    assert number in result.stderr
    assert result.stdout == ""


def test_errors_follow_the_terminals_language(midorino: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "その人は見つかりません" in midorino("user", "disable", "nobody").stderr
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "There is no such person" in midorino("user", "disable", "nobody").stderr


def test_a_mistyped_folder_does_not_become_a_new_one(run: Run, tmp_path: Path) -> None:
    refused = run("user", "list")
    assert refused.exit_code == 1
    assert "RENRAKU_DATA" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_which_organization(run: Run, tmp_path: Path) -> None:
    folder = lock_folder(tmp_path / "data")
    open_writer(folder).close()  # as a server leaves it that nobody has added an organization to
    folder.release()
    nothing = run("user", "list")
    assert (nothing.exit_code, "organization add" in nothing.stderr) == (2, True)
    ok(run("organization", "add", "midorino", "みどりの市"))
    ok(run("user", "list"))
    ok(run("organization", "add", "tonari", "となりの町"))
    which = run("user", "list")
    assert (which.exit_code, "midorino | tonari" in which.stderr) == (2, True)
    ok(run("user", "list", "-o", "tonari"))
    assert ok(run("organization", "list")).splitlines()[1] == "midorino  みどりの市  0"
    assert [one["code"] for one in json.loads(ok(run("organization", "list", "--json")))] == ["midorino", "tonari"]


def test_the_rules_of_an_organization(midorino: Run) -> None:
    run = midorino
    shown = ok(run("organization", "policy", "midorino")).splitlines()
    assert [line.split("  ")[0] for line in shown] == ["規則", *RULES]
    changed = ok(run("organization", "policy", "midorino", "create_open=organization_admin", "--json"))
    assert json.loads(changed)["create_open"] == "organization_admin"
    again = ok(run("organization", "policy", "midorino", "create_open=", "--json"))
    assert json.loads(again) == asdict(Policy())
    for rule, said in (("create_everything=member", "create_private"), ("create_open=auditor", "department_admin")):
        refused = run("organization", "policy", "midorino", "create_private=organization_admin", rule)
        assert (refused.exit_code, "[2001]" in refused.stderr, said in refused.stderr) == (1, True, True)
    assert run("organization", "policy", "midorino", "create_open").exit_code == 2
    assert "[6004]" in run("organization", "policy", "nowhere").stderr
    assert json.loads(ok(run("organization", "policy", "midorino", "--json"))) == asdict(Policy())
    assert "3件" in ok(run("audit", "verify")), "made, changed, changed back: and nothing of what was refused"


def test_a_password_is_asked_twice_and_never_an_argument(midorino: Run) -> None:
    result = midorino("user", "add", "a", "--name", "x", "--reading", "え", typed="a\n")
    assert (result.exit_code, "--password-stdin" in result.stderr) == (2, True)
    empty = midorino("user", "add", "a", "--name", "x", "--reading", "え", "--password-stdin", typed="")
    assert (empty.exit_code, "password" in empty.stderr) == (2, True)
    for name, group in root.commands.items():
        for inner in getattr(group, "commands", {name: group}).values():
            takes_value = [p for p in inner.params if "password" in (p.name or "") and not getattr(p, "is_flag", False)]
            assert takes_value == [], name


def test_help_is_in_both_languages(run: Run) -> None:
    for arguments in (
        [],
        ["user"],
        ["organization"],
        ["audit"],
        ["keys"],
        ["import-staff"],
        ["user", "add"],
        ["user", "roles"],
        ["organization", "policy"],
    ):
        shown = ok(run(*arguments, "--help"))
        assert arguments == [] or any("\u3040" <= character <= "\u9fff" for character in shown), arguments


def test_importing_the_staff(midorino: Run, tmp_path: Path) -> None:
    run, sample = midorino, str(SAMPLES / "staff-cp932.csv")
    dry = ok(run("import-staff", sample, "--dry-run", "--as-of", "2026-09-22"))
    assert "  + 1030 総務部/財政課/予算係" in dry
    assert dry.splitlines()[-1] == "所属 追加11 変更0 閉鎖0 / 職員 追加13 変更0 停止0 / 発令 追加15 変更0 終了0"
    assert json.loads(ok(run("user", "list", "--json"))) == []
    assert ok(run("import-staff", sample, "--as-of", "2026-09-22")) == dry
    assert ok(run("import-staff", sample)).splitlines() == ["読まない列: 備考", "変更はありません"]
    assert len(json.loads(ok(run("user", "list", "--json")))) == 13
    bad = tmp_path / "bad.csv"
    bad.write_text(f"{HEADER}\na,x,漢字,,,課,,主事,,,,\nb,,え,,,課,,主事,0,,,\n", encoding="utf-8")
    result = run("import-staff", str(bad))
    assert result.exit_code == 1
    assert [one.split(":")[0] for one in result.stderr.splitlines()[:3]] == [
        "2行目 ふりがな",
        "3行目 氏名",
        "3行目 職位順",
    ]
    assert "[6006]" in result.stderr
    assert run("import-staff", str(tmp_path / "none.csv")).exit_code == 2
    as_json = json.loads(ok(run("import-staff", sample, "--dry-run", "--json")))
    assert as_json["counts"]["people"]["added"] == 0


def test_tables_line_up_whatever_stands_in_them() -> None:
    shown = table(("ログイン", "name"), [("abc", "高橋 健"), ("ﾀﾅｶ", None), ("か\u3099", "x\x1b[2Jy\n")])
    assert shown.split("\n") == ["ログイン  name", "abc       高橋 健", "ﾀﾅｶ", "か\u3099        x [2Jy"]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5))
@settings(deadline=None)
def test_the_second_column_begins_where_the_first_one_ends(rows: list[tuple[str, str]]) -> None:
    lines = table(("a", "b"), [(first, "|" + second) for first, second in rows]).split("\n")
    assert len(lines) == len(rows) + 1
    begins = {width(line.split("|")[0]) for line, (first, _) in zip(lines[1:], rows, strict=True) if "|" not in first}
    assert len(begins) <= 1


async def test_through_a_running_server(tmp_path: Path) -> None:
    """The server owns the folder: commands go through its socket, and what they do is so at once."""
    async with server_process(tmp_path / "data", tmp_path) as server:

        async def run(*arguments: str, typed: str = "") -> str:
            return ok(await asyncio.to_thread(invoke, tmp_path / "renraku.toml", *arguments, typed=typed))

        await run("organization", "add", "midorino", "みどりの市")
        await run("import-staff", str(SAMPLES / "staff-utf8.csv"))
        await run("user", "password", "omote", "--password-stdin", typed="みどりの町の長い合言葉\n")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.ports['lgwan']}", timeout=DEADLINE) as http:

            async def sign_in() -> httpx2.Response:
                begun = await http.post("/api/sign-in", json={"organization": "midorino", "login": "omote"})
                flow = begun.json()["flow"]
                return await http.post(
                    "/api/sign-in/password", json={"flow": flow, "password": "みどりの町の長い合言葉"}
                )

            session = (await sign_in()).json()["session"]
            headers = {"Authorization": f"Bearer {session['access_token']}"}
            assert (await http.get("/api/rooms", headers=headers)).status_code == 200
            assert "lgwan" in await run("user", "devices", "omote")
            await run("user", "disable", "omote")
            assert (await http.get("/api/rooms", headers=headers)).status_code in (401, 403)
            assert (await sign_in()).json()["error"]["code"] == 1001
    assert "みどりの町の長い合言葉" not in server.log
    assert session["refresh_token"] not in server.log
