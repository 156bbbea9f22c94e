"""What a search index promises, on both engines: every text that holds the words, and nothing twice."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chat_server.domain.folding import fold
from chat_server.domain.grams import terms
from chat_server.ports import NOTE_KEYS, NOTES, SearchIndex, Sought, Text
from chat_server.search.opening import open_index
from chat_server.search.sqlite import FILE
from chat_server.storage.postgresql.address import options
from tests.support.engines import POSTGRESQL, database_of

BOTH_ENGINES = True
EVERYWHERE = tuple(range(1, 6))
WORDS = ["道路", "補修", "倒木", "通行止め", "国道12号", "県道", "橋梁", "点検", "ﾊﾟﾄﾛｰﾙ", "パトロール", "髙橋", "高橋", "側溝", "清掃", "写真", "予算", "見積", "(株)みどり", "100%", "a_b", "'x'", '"y"', "\\z", "&", "|", "!", ":*", "AND", "OR", "NEAR", "http://example.jp/a?b=c&d", "令和8年", "１２", "3.5m"]  # fmt: skip


@pytest.fixture
async def index(engine: str, tmp_path: Path) -> AsyncIterator[SearchIndex]:
    opened = await open_index(options(database_of(tmp_path)) if engine == POSTGRESQL else None, tmp_path)
    yield opened
    await opened.close()


def text(
    number: int, words: str, *, room: int = 1, author: int = 1, kind: str = "message", section: str = "道路課"
) -> Text:
    return Text(number * 256, room, number, author, section, kind, fold(words))


def sought(question: str, **narrowed: object) -> Sought:
    asked = Sought(terms(question), EVERYWHERE, (), None, None, 0, 2**53, 1000)
    return replace(asked, **narrowed)  # type: ignore[arg-type]


def scan(texts: list[Text], asked: Sought) -> list[int]:
    """Looking at every text."""
    return sorted(
        (
            one.id
            for one in texts
            if all(word in one.text for word in asked.words)
            and one.room_id in asked.rooms
            and (not asked.kinds or one.kind in asked.kinds)
            and asked.author_id in (None, one.author_id)
            and asked.department in (None, one.department)
            and asked.above <= one.id < asked.below
        ),
        reverse=True,
    )[: asked.limit]


async def found(index: SearchIndex, asked: Sought) -> list[int]:
    return [hit.id for hit in await index.find(asked)]


async def test_it_finds_the_newest_wherever_they_are(index: SearchIndex) -> None:
    """Usual words and rare ones, close together and hundreds of thousands of messages apart, and notes far above them."""
    chance = random.Random(5)
    numbers = sorted(chance.sample(range(1, 900_000), 400)) + [NOTE_KEYS + note for note in (1, 2, 40_000)]
    texts = [
        text(number, "道路" if chance.random() < 0.5 else "倒木" if chance.random() < 0.02 else "橋")
        for number in numbers
    ]
    await index.replace([], texts, 900_000)
    edge = texts[200].id
    for question in ("道路", "倒木", "橋", "側溝"):
        for limit in (1, 3, 50, 1000):
            for above, below in (
                (0, 2**53),
                (0, edge),
                (0, edge + 1),
                (edge, 2**53),
                (edge, edge),
                (0, NOTE_KEYS * 256),
            ):
                asked = sought(question, limit=limit, above=above, below=below)
                assert await found(index, asked) == scan(texts, asked), (question, limit, above, below)


async def test_it_finds_what_a_scan_finds(index: SearchIndex) -> None:
    chance = random.Random(4)
    texts = [
        text(
            number, "".join(chance.choices([*WORDS, " ", "\n", "の", "を"], k=chance.randint(1, 12))),
            room=chance.choice(EVERYWHERE), author=chance.randint(1, 3),
            kind=chance.choice(["message", "photo", "file", "document"]), section=chance.choice(["道路課", "橋梁課"]),
        )
        for number in range(1, 600)
    ]  # fmt: skip
    await index.replace([], texts, 599)
    for _ in range(300):
        of = chance.choice(texts).text
        begin = chance.randrange(len(of))
        question = chance.choice([of[begin : begin + chance.randint(1, 6)], *WORDS])
        asked = sought(question)
        if not asked.words:
            continue
        assert await found(index, asked) == scan(texts, asked), question
        asked = replace(
            asked,
            rooms=tuple(chance.sample(EVERYWHERE, chance.randint(1, 5))),
            kinds=tuple(chance.sample(["message", "photo", "file", "document"], chance.randint(0, 2))),
            author_id=chance.choice([None, 1, 2]),
            department=chance.choice([None, "道路課"]),
            above=chance.choice([0, 100 * 256]),
            below=chance.choice([2**53, 400 * 256]),
            limit=chance.choice([3, 1000]),
        )
        assert await found(index, asked) == scan(texts, asked), (question, asked)


async def test_what_is_replaced_is_found_by_its_new_words_alone(index: SearchIndex) -> None:
    await index.replace([1, 2], [text(1, "古い道路"), text(2, "別の道路")], 2)
    await index.replace([1], [text(1, "新しい橋")], 2)
    assert await found(index, sought("道路")) == [2 * 256]
    assert await found(index, sought("新しい橋")) == [1 * 256]
    await index.replace([2], [], 2)
    assert await found(index, sought("道路")) == []
    await index.replace([1, 2], [text(1, "新しい橋")], 2)
    assert await found(index, sought("橋")) == [1 * 256]


async def test_more_rooms_than_words_for_them(index: SearchIndex) -> None:
    await index.replace([], [text(1, "道路", room=700), text(2, "道路", room=900)], 2)
    assert await found(index, sought("道路", rooms=tuple(range(1, 751)))) == [1 * 256]
    assert await found(index, sought("道路", rooms=())) == []


async def test_where_it_has_come_to_is_kept_with_it(engine: str, index: SearchIndex, tmp_path: Path) -> None:
    assert await index.position() == 0
    await index.replace([7], [text(7, "道路")], 7)
    assert await index.position() == 7
    await index.replace([3], [], 3)
    assert await index.position() == 7, "a change of an older message takes nothing back"
    await index.close()
    again = await open_index(options(database_of(tmp_path)) if engine == POSTGRESQL else None, tmp_path)
    assert (await again.position(), await found(again, sought("道路"))) == (7, [7 * 256])
    await again.close()


async def test_notes_stand_above_messages_and_have_a_position_of_their_own(index: SearchIndex) -> None:
    await index.replace([7], [text(7, "道路")], 7)
    key = NOTE_KEYS + 3
    await index.replace([key], [text(key, "道路の経過", kind="note")], 5, NOTES)
    assert (await index.position(), await index.position(NOTES)) == (7, 5)
    assert await found(index, sought("道路")) == [key * 256, 7 * 256]
    assert await found(index, sought("道路", kinds=("note",))) == [key * 256]
    await index.replace([key], [], 6, NOTES)
    assert (await found(index, sought("道路")), await index.position(NOTES)) == ([7 * 256], 6)


async def test_another_generation_of_the_streams_has_nothing_of_the_old_one(index: SearchIndex) -> None:
    await index.belong("first")
    await index.replace([7], [text(7, "道路")], 7)
    await index.belong("first")
    assert (await index.position(), await found(index, sought("道路"))) == (7, [7 * 256])
    await index.belong("second")
    assert (await index.position(), await found(index, sought("道路"))) == (0, [])


async def test_a_file_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database" * 1000)
    index = await open_index(None, tmp_path)
    assert await index.position() == 0
    await index.close()
