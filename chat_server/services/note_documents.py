"""A note as a document: what is printed on A4, and what goes into a ZIP with its photos and files. Every export is on record
before anything of it is given out, and holds what its maker may read now and from here, nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from chat_server.domain import limits
from chat_server.domain.actors import Actor
from chat_server.domain.eras import era_date, era_time
from chat_server.domain.errors import NOTE_EXPORT_TOO_LARGE, Problem
from chat_server.domain.file_names import is_device
from chat_server.domain.printed import Job, Part, Picture
from chat_server.domain.zones import ORIGINAL, PASSED, PREVIEW, SANITIZED, THUMBNAIL
from chat_server.ports import Reader, Tx
from chat_server.services import audit, files, note_reading
from chat_server.services.files import Best, OpenFile, Trust
from chat_server.services.note_reading import Rendered, RenderedBlock
from chat_server.services.photo_upload import PHOTO
from chat_server.storage.queries import messages, organizations, rooms

SEALS: Final = ("課長", "係長", "担当")
_ON_PAPER: Final = (PREVIEW, THUMBNAIL)
_WHOLE: Final = (ORIGINAL, PASSED, SANITIZED, PREVIEW)
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_NAME_BYTES: Final = 200
"""UTF-8: with a number before it and an ending behind it fits into the 255 of most file systems."""
_ENDING_CHARS: Final = 8
_ENDS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}
_NOT_HERE: Final = "この写真は、ここでは表示できません"
_BYTES: Final = limits.NOTE_EXPORT_BYTES
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Paper:
    """`pictures`: by their number in the job. `name`: of the file."""

    name: str
    job: Job
    pictures: tuple[OpenFile, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes into a ZIP: `texts` by name, and files by name."""

    name: str
    texts: dict[str, bytes]
    files: dict[str, OpenFile]


async def on_record(tx: Tx, actor: Actor, note: str, number: int | None, kind: str) -> int:
    """Who took which note out of the house; answers the version that is on record, and no other is to be given out.

    Raises `Problem` 4030, 4031, as reading it does."""
    whole = await note_reading.one(tx, actor, note, number)
    detail = {"room": whole["room"], "version": whole["version"], "as": kind}
    await audit.record_by(tx, actor, "note.export", note, detail)
    return int(whole["version"])


async def check(reader: Reader, actor: Actor, note: str, number: int | None) -> None:
    """Whether it may be given out still. Raises `Problem` 4030, 4031."""
    await note_reading.one(reader, actor, note, number)


async def paper(reader: Reader, actor: Actor, note: str, number: int | None, trust: Trust) -> Paper:
    """Raises `Problem` 4030, 4031."""
    rendered = await note_reading.rendered(reader, actor, note, number)
    best = await files.best_of(reader, actor, _attached(rendered), _ON_PAPER, trust)
    setting = _Setting(best)
    parts = tuple(setting.part(block) for block in rendered.blocks)
    job = Job(rendered.title, rendered.authors[0]["name"], await _facts(reader, actor, note, rendered), parts, SEALS)
    return Paper(f"{safe(rendered.title)}.pdf", job, tuple(setting.pictures))


async def bundle(reader: Reader, actor: Actor, note: str, number: int | None, trust: Trust) -> Bundle:
    """The originals as far as they may be read from here, else what was made of them; what is missing is named with the reason.

    Raises `Problem` 4030, 4031, 4040."""
    rendered = await note_reading.rendered(reader, actor, note, number)
    best = await files.best_of(reader, actor, _attached(rendered), _WHOLE, trust)
    names = _names(best)
    listed = [_listed(public_id, one, names.get(public_id)) for public_id, one in best.items()]
    whole = await note_reading.one(reader, actor, note, number)
    facts = await _facts(reader, actor, note, rendered)
    whole_files = {
        public_id for public_id, one in best.items() if one.kind != PHOTO and one.rendition in (ORIGINAL, PASSED)
    }
    if sum(one["size"] for one in whole["attachments"] if one["id"] in whole_files) > _BYTES:
        # Before anything of it is fetched: a bucket's files would be copied here first.
        raise Problem(NOTE_EXPORT_TOO_LARGE, limit=_BYTES)
    texts = {
        "ノート.md": "\n".join(_as_text(rendered, facts, best, names)).encode(),
        "ノート.json": _json({"note": whole, "files": listed}),
    }
    held = {names[public_id]: one.file for public_id, one in best.items() if one.file is not None}
    return Bundle(f"{safe(rendered.title)}.zip", texts, held)


def safe(name: str) -> str:
    """A name that every desk's file system takes. One that is too long loses its middle, not its ending: that says what opens it."""
    whole = _UNSAFE.sub("_", name).strip(" .") or "ノート"
    stem, dot, ending = whole.rpartition(".")
    if not stem or len(ending) > _ENDING_CHARS:
        stem, dot, ending = whole, "", ""
    room = _NAME_BYTES - len((dot + ending).encode())
    cut = stem.encode()[:room].decode(errors="ignore").strip(" .")
    kept = (cut or "ノート") + dot + ending
    return f"_{kept}" if is_device(kept) else kept


def _attached(rendered: Rendered) -> list[str]:
    found = (one for block in rendered.blocks for one in block.attachments if one is not None)
    return list(dict.fromkeys(one.id for one in found if not one.withdrawn))


async def _facts(reader: Reader, actor: Actor, note: str, rendered: Rendered) -> tuple[str, ...]:
    """Where it is from, who wrote it and when, and who took it out."""
    home = (await rooms.standing(reader, actor.user_id, rendered.room)) or None
    assert home is not None
    organization = await organizations.by_id(reader, home.org_id)
    assert organization is not None
    room = str((await rooms.facts(reader, home.room_id))[2])
    whole = await note_reading.one(reader, actor, note, rendered.version)
    author = await messages.author(reader, actor.user_id)
    me = {"name": author.name, "department": author.department, "post": author.post}
    return (
        f"{organization.name}　{room}",
        f"作成　{era_date(whole['created'])}　{_who(whole['created_by'])}",
        f"第{rendered.version}版　{era_time(rendered.at)}　{'、'.join(one['name'] for one in rendered.authors)}",
        f"出力　{era_time(reader.now)}　{_who(me)}",
    )


def _who(person: dict[str, Any]) -> str:
    place = " ".join(filter(None, (person["department"], person["post"])))
    return f"{person['name']}（{place}）" if place else str(person["name"])


def _mark(wire: dict[str, Any]) -> str:
    """What became of a message that was taken over."""
    if "struck" in wire:
        return "（この投稿は、ノートから削除されました）"
    told = [f"{era_time(wire['edited'])} に修正"] if "edited" in wire else []
    told += [f"{era_time(wire['redacted'])} に投稿が取り消されています"] if "redacted" in wire else []
    forward = wire.get("forward")
    told += [f"{forward['author']}（{era_time(forward['at'])}）からの転送"] if forward else []
    return f"（{'、'.join(told)}）" if told else ""


class _Setting:
    """Numbers photos through the whole note, as captions and the text refer to them."""

    def __init__(self, best: dict[str, Best]) -> None:
        self._best = best
        self._photos = 0
        self.pictures: list[OpenFile] = []

    def part(self, block: RenderedBlock) -> Part:
        match block.kind:
            case "markdown":
                return Part("markdown", block.texts[0])
            case "pair":
                labels = (block.texts[0] or "着手前", block.texts[1] or "着手後")
                pair = zip(block.attachments, labels, strict=True)
                return Part("pair", pictures=tuple(self._picture(one, label) for one, label in pair))
            case "entry":
                assert block.author is not None
                assert block.at is not None
                return Part(
                    "entry", block.texts[0], era_time(block.at), _who(block.author), _mark(block.wire or {}),
                    *self._held(block.attachments),
                )  # fmt: skip
            case _:
                return Part("photos", "", "", "", "", *self._held(block.attachments))

    def _held(self, attachments: Sequence[note_reading.Picture | None]) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
        photos = tuple(self._picture(one, "") for one in attachments if one is not None and one.kind == PHOTO)
        return photos, tuple(_file(one) for one in attachments if one is not None and one.kind != PHOTO)

    def _picture(self, one: note_reading.Picture | None, label: str) -> Picture:
        if one is None:
            return Picture(label, None, "（写真なし）")
        self._photos += 1
        best = self._best.get(one.id)
        taken = "" if best is None or best.taken_at is None else f"撮影 {era_time(best.taken_at)}"
        caption = "　".join(filter(None, (label, f"写真{self._photos}", taken)))
        if best is None or best.file is None:
            return Picture(caption, None, "（取り消された写真）" if one.withdrawn else _NOT_HERE)
        self.pictures.append(best.file)
        return Picture(caption, len(self.pictures) - 1)


def _file(one: note_reading.Picture) -> str:
    return "（取り消されたファイル）" if one.withdrawn else f"ファイル: {one.name}"


def _names(best: dict[str, Best]) -> dict[str, str]:
    """Of what goes into the ZIP, in the note's order."""
    found: dict[str, str] = {}
    photos = others = 0
    for public_id, one in best.items():
        if one.file is None:
            continue
        if one.kind == PHOTO:
            photos += 1
            stem = safe(one.name).rsplit(".", 1)[0]
            found[public_id] = f"写真/{photos:03} {stem}{_ENDS.get(one.file.media_type, '')}"
        else:
            others += 1
            found[public_id] = f"ファイル/{others:03} {safe(one.name)}"
    return found


def _listed(public_id: str, one: Best, name: str | None) -> dict[str, Any]:
    """`sha256`: of the bytes in the ZIP; `original_sha256`: of those that were handed in."""
    return {
        "id": public_id,
        "kind": one.kind,
        "name": one.name,
        "file": name,
        "what": one.rendition,
        "sha256": None if one.file is None else one.file.sha256,
        "original_sha256": one.original,
        "taken_at": one.taken_at,
        "missing": one.refused,
    }


def _as_text(rendered: Rendered, facts: Sequence[str], best: dict[str, Best], names: dict[str, str]) -> Iterator[str]:
    """The whole note as Markdown, its photos by their names in the ZIP."""
    yield f"# {rendered.title}\n"
    yield from (f"{fact}  " for fact in facts)
    for block in rendered.blocks:
        yield ""
        match block.kind:
            case "markdown":
                yield block.texts[0]
            case "entry":
                assert block.author is not None
                assert block.at is not None
                yield f"## {era_time(block.at)}　{_who(block.author)}\n"
                yield from (f"> {line}  " for line in block.texts[0].splitlines())
                yield _mark(block.wire or {})
            case "pair":
                yield f"{block.texts[0] or '着手前'} / {block.texts[1] or '着手後'}"
            case _:
                pass
        for one in block.attachments:
            if one is None:
                continue
            if one.id in names:
                yield f"- [{names[one.id]}](<{names[one.id]}>)"
            else:
                known = best.get(one.id)
                why = known.refused["ja"] if known is not None and known.refused else "取り消されています。"
                yield f"- {one.name or '（取り消し済み）'}: 含まれていません（{why}）"
