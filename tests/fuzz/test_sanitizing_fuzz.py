"""Damaged files through the sanitizer: each is released or refused with a reason that is the file's, and what is released passes the
check; a rebuilder that lets through what the check finds, or that fails for a reason of its own, is a failure here."""

from __future__ import annotations

import asyncio
import itertools
import logging
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chat_server.decoders.limits import Limits
from chat_server.sanitizing import words
from chat_server.sanitizing.engine import Engine
from chat_server.sanitizing.policy import Policy
from tests.fuzz.test_images import EXAMPLES, Damaged, damaged, seeds
from tests.unit.document_samples import SAMPLES, packed, sample
from tests.unit.test_sanitizing_films import film

OURS = {"busy", "check_failed", "not_confined"}
"""Reasons that would be this program's fault."""
ARCHIVES = SAMPLES.parent / "archives" / "libarchive"
PDFS = [
    sample(name).read_bytes()
    for name in (
        "noembed-sjis.pdf",
        "doc_actions.pdf",
        "issue18823.pdf",
        "issue17846.pdf",
        "multimedia_annotations.pdf",
    )
]
PACKAGES = [
    sample(name).read_bytes()
    for name in (
        "oletools/dde-test.docx",
        "TwoSheetsOneHidden.xlsx",
        "with_japanese.pptx",
        "oletools/dde-test.xlsx",
        "SimpleMacro.docm",
    )
]
PARTS = [
    (package, name)
    for package in PACKAGES
    for name in zipfile.ZipFile(BytesIO(package)).namelist()
    if name.endswith((".xml", ".rels")) and "theme" not in name
]
OTHERS = [
    film(), packed({"図面.txt": b"words", "a/b.csv": b"a,=1\n"}), sample("attachment_msg_pdf.msg").read_bytes(),
    *(path.read_bytes() for path in sorted(ARCHIVES.glob("*.zip"))),
    "Subject: 件名\nFrom: a@example.jp\nContent-Type: multipart/mixed; boundary=-\n\n---\n\nwords\n-----\n".encode(),
    "<html><body><p>言葉<script>x</script>".encode("cp932"), "件名,式\n倒木,=1+1\n".encode("cp932"),
]  # fmt: skip
NAMES = ("a.csv", "a.eml", "a.txt", "a.bin")
Attempt = Callable[[bytes, str], None]

fuzzing = settings(
    max_examples=max(1, EXAMPLES // 6),
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class _Faults(logging.Handler):
    """What the pool reports of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() in ("decoder_failed", "sanitizing_check_failed"):
            self.found.append(f"{record.getMessage()} {vars(record).get('why', vars(record).get('found'))}")


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempt]:
    """Sends bytes through one engine that lives for all of the test."""
    folder = tmp_path_factory.mktemp("fuzz")
    numbers = itertools.count()
    engine = Engine(workers=1, limits=Limits(cpu_seconds=10, wall_seconds=90, descriptors=24))
    faults = _Faults()
    logging.getLogger("chat_server").addHandler(faults)

    def send(data: bytes, name: str) -> None:
        source, out = folder / "file", folder / str(next(numbers))
        source.write_bytes(data)
        out.mkdir()
        pids = engine.pids
        report = runner.run(engine.sanitize(source, name, out, Policy()))
        assert not faults.found, (faults.found, source)
        assert report.reason is None or report.reason in set(words.REASONS) - OURS
        assert [each.name for each in out.iterdir()] == ([report.output] if report.output else [])
        assert engine.pids == pids, f"the process that forks died of {source}"
        _emptied(out)

    with asyncio.Runner() as runner:
        runner.run(engine.start())
        yield send
        runner.run(engine.close())
    logging.getLogger("chat_server").removeHandler(faults)


def _emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@fuzzing
@given(data=damaged(seeds()))
def test_damaged_pictures_are_released_clean_or_refused(attempt: Attempt, data: Damaged) -> None:
    attempt(data, "a")


@fuzzing
@given(data=damaged(PDFS))
def test_damaged_pdfs_are_released_clean_or_refused(attempt: Attempt, data: Damaged) -> None:
    attempt(data, "a.pdf")


@fuzzing
@given(data=damaged(PACKAGES))
def test_damaged_packages_are_released_clean_or_refused(attempt: Attempt, data: Damaged) -> None:
    attempt(data, "a.docx")


@st.composite
def _with_damaged_part(draw: st.DrawFn) -> Damaged:
    """A package whose ZIP is whole, so that the damage reaches the XML."""
    package, name = draw(st.sampled_from(PARTS))
    with zipfile.ZipFile(BytesIO(package)) as source:
        parts = {each: source.read(each) for each in source.namelist()}
    parts[name] = bytes(draw(damaged([parts[name]])))
    return Damaged(packed(parts))


@fuzzing
@given(data=_with_damaged_part())
def test_damaged_parts_of_packages_are_released_clean_or_refused(attempt: Attempt, data: Damaged) -> None:
    attempt(data, "a.docx")


@fuzzing
@given(data=damaged(OTHERS) | st.binary(max_size=200), name=st.sampled_from(NAMES))
def test_damaged_files_of_other_kinds_are_released_clean_or_refused(attempt: Attempt, data: bytes, name: str) -> None:
    attempt(data, name)
