"""The search: how fast the newest hits come out of a million messages, whether all of them do, what a message costs the
index, and how soon it is found."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import servers
from bench.corpus import ROOMS, Corpus
from bench.nodes import database
from bench.plan import Plan
from bench.report import Figure, figure, spread
from bench.searching import freshness
from chat_server.domain.folding import fold
from chat_server.domain.grams import terms
from chat_server.ports import PARTS, SearchIndex, Sought, Text
from chat_server.search.opening import open_index
from chat_server.services.indexing import MESSAGE
from chat_server.storage.postgresql.address import options

QUESTIONS: Final = 300
NEWEST: Final = 50
BATCH: Final = 100
COSTED: Final = 20_000
"""Messages whose indexing is timed."""
CHECKED: Final = 60
"""Questions that are held against a scan, all hits of them."""
_EVERY: Final = 2**53


def run(plan: Plan) -> list[Figure]:
    """`search.index_ms`, `search.freshness_ms`"""
    with servers.work_folder() as folder:
        cost = asyncio.run(_cost(folder))
        fresh = freshness(folder, plan)
    return [
        figure(
            "search.index_ms",
            cost,
            "ms",
            f"{COSTED:,} messages folded and put into a new index in steps of {BATCH}, with everything that a step does to the file.",
        ),
        fresh,
    ]


def run_large(plan: Plan) -> list[Figure]:
    """`search.newest50_ms`, `search.pg_newest50_ms`, `search.recall`"""
    with servers.work_folder() as folder, database() as found:
        return asyncio.run(_compared(folder, options(found.address), plan.messages))


async def _cost(folder: Path) -> float:
    texts = list(itertools.islice(_texts(), COSTED))
    index = await open_index(None, folder)
    begun = time.perf_counter()
    await _fill(index, texts)
    took = time.perf_counter() - begun
    await index.close()
    return took * 1000 / COSTED


def _texts() -> Iterable[tuple[int, int, str, str]]:
    return Corpus().texts()


async def _fill(index: SearchIndex, texts: Iterable[tuple[int, int, str, str]], step: int = BATCH) -> None:
    numbers = itertools.count(1)
    each = iter(texts)
    while some := list(itertools.islice(each, step)):
        made = [
            Text(number * PARTS, room, number, author, section, MESSAGE, fold(words))
            for number, (room, author, section, words) in zip(numbers, some, strict=False)
        ]
        last = made[-1].seq
        numbers = itertools.count(last + 1)
        await index.replace([text.seq for text in made], made, last)


async def _compared(folder: Path, session: dict[str, object], count: int) -> list[Figure]:
    corpus = Corpus()
    texts = list(itertools.islice(corpus.texts(), count))
    asked = [_sought(words, number) for number, words in enumerate(corpus.questions(QUESTIONS))]
    folded = [fold(words) for _, _, _, words in texts]
    figures, recall = [], 1.0
    for name, index in (
        ("search.newest50_ms", await open_index(None, folder)),
        ("search.pg_newest50_ms", await open_index(session, folder)),
    ):
        begun = time.perf_counter()
        await _fill(index, texts, 2000)
        built = time.perf_counter() - begun
        await index.find(asked[0])
        times = [await _timed(index, sought) for sought in asked]
        slowest = sorted(range(len(asked)), key=times.__getitem__)[-3:]
        recall = min(recall, await _recall(index, texts, folded, asked))
        await index.close()
        how = (
            f"{count:,} messages in {ROOMS} rooms, {len(asked)} questions of seekers who are in 1, 8, 40 and {ROOMS} of them:"
            f" {spread(times, 1)} ms for the newest {NEWEST}; the slowest for"
            f" {'、'.join(' '.join(asked[one].words) + f' in {len(asked[one].rooms)} rooms' for one in slowest)}; filled in"
            f" {built:.0f} s."
        )
        figures.append(figure(name, max(times), "ms", how))
    how = f"All hits of {CHECKED} of the questions on both engines, against looking at every text."
    return [*figures, figure("search.recall", recall, "", how)]


def _sought(words: str, number: int) -> Sought:
    chance = random.Random(number)
    rooms = chance.sample(range(1, ROOMS + 1), (1, 8, 40, ROOMS)[number % 4])
    return Sought(terms(words), tuple(rooms), (), None, None, 0, _EVERY, NEWEST)


async def _timed(index: SearchIndex, sought: Sought) -> float:
    begun = time.perf_counter()
    await index.find(sought)
    return (time.perf_counter() - begun) * 1000


async def _recall(
    index: SearchIndex, texts: Sequence[tuple[int, int, str, str]], folded: Sequence[str], asked: Sequence[Sought]
) -> float:
    """The smallest share of what a scan finds; 0 where something is found that the scan does not find."""
    worst = 1.0
    for sought in asked[:CHECKED]:
        rooms = set(sought.rooms)
        there = {
            (at + 1) * PARTS
            for at, text in enumerate(folded)
            if texts[at][0] in rooms and all(word in text for word in sought.words)
        }
        found = {hit.id for hit in await index.find(replace(sought, limit=len(texts)))}
        if found - there:
            return 0.0
        worst = min(worst, len(found) / len(there) if there else 1.0)
    return worst
