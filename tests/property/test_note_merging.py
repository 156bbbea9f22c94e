"""Notes that two write at once: blocks and lines. What merging lines does by itself: tests/unit/test_merging.py."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_server.services.blocks import Photos
from chat_server.services.note_blocks import Content, Entry, Markdown, NoteBlock, Pair, clean_blocks
from chat_server.services.note_merging import Merged, merged

ENTRIES = [Entry(f"{n}" * 26) for n in range(6)]
PHOTO = "p" * 26


def blocks(*written: str | NoteBlock) -> Content:
    return Content("題", tuple(Markdown(one) if isinstance(one, str) else one for one in written))


def merge(base: Content, theirs: Content, mine: Content) -> Merged:
    return merged(base, theirs, mine, "高橋", "田中")


def test_blocks_move_and_come_beside_lines_that_change() -> None:
    base = blocks("一\n二", ENTRIES[0], "三")
    made = merge(
        base, blocks("一\n二", ENTRIES[0], ENTRIES[1], "三"), blocks("一番\n二", ENTRIES[0], "三\n四", ENTRIES[2])
    )
    assert not made.conflict
    assert made.content == blocks("一番\n二", ENTRIES[0], ENTRIES[1], "三\n四", ENTRIES[2])


def test_both_who_put_something_at_the_end_are_kept_without_a_conflict() -> None:
    made = merge(blocks("一"), blocks("一", ENTRIES[0]), blocks("一", "二"))
    assert (made.conflict, made.content) == (False, blocks("一", ENTRIES[0], "二"))


def test_a_caption_that_both_change_stands_twice_with_its_photos() -> None:
    before = Pair(PHOTO, None, "前")
    theirs, mine = Pair(PHOTO, None, "施工前"), Pair(PHOTO, None, "着手前")
    made = merge(blocks("一", before, "二"), blocks("一", theirs, "二"), blocks("一", mine, "二"))
    assert made.conflict
    assert made.content == blocks(
        "一\n〔同時に編集されました: 高橋〕", theirs, "〔同時に編集されました: 田中〕", mine, "〔ここまで〕", "二"
    )


def test_what_one_takes_out_and_the_other_changes_stays() -> None:
    made = merge(blocks("一\n二\n三"), blocks("一\n三"), blocks("一\n二番\n三"))
    assert made.conflict
    assert "二番" in str(made.content)


def test_of_two_titles_none_is_lost() -> None:
    base, theirs, mine = Content("甲", ()), Content("乙", ()), Content("丙", ())
    assert merge(base, theirs, base).content.title == "乙"
    assert merge(base, base, mine).content.title == "丙"
    made = merge(base, theirs, mine)
    assert (made.conflict, made.content) == (True, Content("乙", (Markdown("〔田中 の題名: 丙〕"),)))
    assert not merge(base, theirs, theirs).conflict


BLOCKS: st.SearchStrategy[NoteBlock] = st.one_of(
    st.lists(st.sampled_from(["一", "二", "三", "", "四"]), min_size=1, max_size=5).map("\n".join).map(Markdown),
    st.sampled_from([*ENTRIES, Pair(PHOTO, None), Photos((PHOTO,))]),
)
CONTENTS = st.lists(BLOCKS, max_size=6).map(lambda written: Content("題", clean_blocks(written)))


def pieces(content: Content) -> set[object]:
    found: set[object] = set()
    for block in content.blocks:
        found |= {*filter(None, block.text.split("\n"))} if isinstance(block, Markdown) else {block}
    return found


@given(CONTENTS, CONTENTS, CONTENTS)
def test_nothing_that_either_side_wrote_is_lost(base: Content, theirs: Content, mine: Content) -> None:
    made = merge(base, theirs, mine)
    assert pieces(theirs) - pieces(base) <= pieces(made.content)
    assert pieces(mine) - pieces(base) <= pieces(made.content)
    assert clean_blocks(made.content.blocks) == made.content.blocks, "it is what would be stored"


@given(CONTENTS, CONTENTS)
def test_who_changes_nothing_takes_nothing_back(base: Content, other: Content) -> None:
    assert merge(base, other, base) == Merged(other, False)
    assert merge(base, base, other) == Merged(other, False)
