"""`renraku sanitize` as its user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.document_samples import docx
from tests.unit.photo_samples import sample as photo


def renraku(*arguments: str | Path, language: str = "ja_JP.UTF-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("renraku")), "sanitize", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "LANG": language},
        timeout=60,
    )


def test_the_command_tells_what_it_did_and_how_it_ended(tmp_path: Path) -> None:
    words_, out = tmp_path / "言葉.txt", tmp_path / "out"
    words_.write_text("言葉\u202e")
    ran = renraku(words_, "--out", out)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "✓ 言葉.txt  作り直しました → 言葉.txt (6 B)", "    − 見えない制御文字1個を取り除きました",
    ]  # fmt: skip
    ran = renraku(words_, photo("pillow/truncated_jpeg.jpg"), "--out", out, "--report", "json")
    assert ran.returncode == 3
    one, two = map(json.loads, ran.stdout.splitlines())
    assert (one["action"], one["output"], one["removed"]) == (
        "rebuilt", "言葉 (2).txt", [{"object": "characters", "name": "", "count": 1, "sha256": None}],
    )  # fmt: skip
    assert (two["action"], two["reason"], two["output"]) == ("refused", "broken", None)
    assert sorted(each.name for each in out.iterdir()) == ["言葉 (2).txt", "言葉.txt"]


def test_wrong_use_of_the_command_is_told(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[formats]\npdf = "believe"\n')
    file = tmp_path / "a.txt"
    file.write_text("words")
    for arguments in ((file,), ("--out", tmp_path), (file, "--out", tmp_path / "out", "--policy", policy)):
        ran = renraku(*arguments)
        assert ran.returncode == 2
        assert ran.stderr.startswith("Usage:")
        assert ran.stdout == ""


def test_an_english_terminal_is_told_in_english(tmp_path: Path) -> None:
    file = tmp_path / "a.docx"
    file.write_bytes(docx("words")[:-40])
    ran = renraku(file, "--out", tmp_path / "out", language="en_GB.UTF-8")
    assert ran.returncode == 3
    assert ran.stdout.startswith("✗ a.docx  refused\n    The file is damaged or cut off.\n")
