"""Damaged documents through the whole way: whatever arrives, the pool answers with renditions or reasons, and lives on."""

from __future__ import annotations

import asyncio
import itertools
import logging
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from chat_server.decoders.limits import Limits
from chat_server.decoders.pool import Pool
from chat_server.documents.workers import LIMITS, MODULES, DocumentDecoders
from chat_server.domain.previews import PDF, expected
from tests.fuzz.test_images import EXAMPLES, Damaged, Deaths, damaged
from tests.unit.document_samples import docx, package, pages, sample, words
from tests.unit.test_documents import DOCX, PPTX, TXT, XLSX, no_helper

PDFS = [
    sample(name).read_bytes()
    for name in ("noembed-sjis.pdf", "doc_actions.pdf", "issue18823.pdf", "issue15893_reduced.pdf", "issue17846.pdf")
] + [pages(words("one"), b"q 1 0 0 1 0 0 cm /X Do Q", words("three"))]
PACKAGES = [
    (DOCX, docx("道路占用許可申請書", "<&>", body="<w:p><w:r><w:tab/><w:br/><w:t>a</w:t></w:r></w:p>")),
    (XLSX, sample("TwoSheetsOneHidden.xlsx").read_bytes()),
    (XLSX, sample("xxe_in_schema.xlsx").read_bytes()),
    (PPTX, sample("with_japanese.pptx").read_bytes()),
]
PARTS = [
    (name, zipfile.ZipFile(BytesIO(content)).read(name))
    for _, content in PACKAGES
    for name in zipfile.ZipFile(BytesIO(content)).namelist()
    if name.endswith(".xml") and ("document" in name or "sheet" in name or "slide1" in name or "Types" in name)
]
TEXTS = [
    "国土交通省、①②③ ～髙﨑~ 表\n二行目".encode(encoding) for encoding in ("utf-8-sig", "utf-16", "utf-32", "cp932")
] + ["道路の占用".encode("euc_jp"), "道路の占用".encode("iso2022_jp")]
REASONS = {"broken", "encrypted", "not_text", "too_large", "empty", "no_helper", "crashed"}

fuzzing = settings(
    max_examples=max(1, EXAMPLES // 3),
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Attempt = Callable[[bytes, str], None]


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempt]:
    """Sends bytes through one pool that lives for all of the test."""
    folder = tmp_path_factory.mktemp("fuzz")
    numbers = itertools.count()
    limits = Limits(cpu_seconds=5, wall_seconds=90, descriptors=LIMITS.descriptors)
    pool = Pool("documents", MODULES, 1, limits=limits)
    documents = DocumentDecoders(pool, no_helper)
    deaths = Deaths()
    logging.getLogger("chat_server.decoders.pool").addHandler(deaths)

    def send(data: bytes, media_type: str) -> None:
        source, out = folder / "document", folder / str(next(numbers))
        source.write_bytes(data)
        out.mkdir()
        pids = pool.pids
        # a Problem would be a decoder that hung, or met a fault of ours
        made = runner.run(documents.prepare(source, out, media_type))
        found = {each.kind for each in made.renditions}
        for kind in expected(media_type):
            assert (kind in found) != (kind in made.failed)
        assert set(made.failed.values()) <= REASONS
        for each in made.renditions:
            if each.kind == "text":
                each.path.read_text(encoding="utf-8")
            else:
                with Image.open(each.path) as image:
                    image.load()
                    assert image.size == (each.width, each.height)
        for path in out.iterdir():
            path.unlink()
        out.rmdir()
        assert pool.pids == pids, f"the decoder died of {source}"
        assert not deaths.count, f"its child died of {source}"

    with asyncio.Runner() as runner:
        runner.run(pool.start())
        yield send
        runner.run(pool.close())
    logging.getLogger("chat_server.decoders.pool").removeHandler(deaths)


@fuzzing
@given(data=damaged(PDFS))
def test_damaged_pdfs_get_an_answer(attempt: Attempt, data: Damaged) -> None:
    attempt(data, PDF)


@fuzzing
@given(chosen=st.sampled_from(PACKAGES).flatmap(lambda one: st.tuples(st.just(one[0]), damaged([one[1]]))))
def test_damaged_packages_get_an_answer(attempt: Attempt, chosen: tuple[str, Damaged]) -> None:
    attempt(chosen[1], chosen[0])


@fuzzing
@given(chosen=st.sampled_from(PARTS).flatmap(lambda one: st.tuples(st.just(one[0]), damaged([one[1]]))))
def test_damaged_xml_in_a_whole_package_gets_an_answer(attempt: Attempt, chosen: tuple[str, Damaged]) -> None:
    name, xml = chosen
    kinds = {"document": "wordprocessingml.document.main", "slide": "presentationml.slide"}
    kind = next((kinds[word] for word in kinds if word in name), "spreadsheetml.worksheet")
    attempt(package(f"application/vnd.openxmlformats-officedocument.{kind}+xml", bytes(xml), "part.xml"), DOCX)


@fuzzing
@given(data=damaged(TEXTS) | st.binary(max_size=200))
def test_damaged_texts_get_an_answer(attempt: Attempt, data: bytes) -> None:
    attempt(data, TXT)
