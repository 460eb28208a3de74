"""Numbers of persons in free text are found however they are written, and what only looks like one is left alone."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.cases import codes
from lucheng.core.privacy.personal import (
    MASK,
    OF_A_PERSON,
    Kind,
    cover,
    cover_all,
    find,
    identity_check,
    luhn,
)

DATA = Path(__file__).parents[4] / "shared" / "data"  # beside the repository
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
SPOKEN = str.maketrans("0123456789", "零一二三四五六七八九")


def hits(text: str) -> list[tuple[str, str]]:
    return [(hit.kind.value, text[hit.start : hit.end]) for hit in find(text)]


def identity(first17: str) -> str:
    return first17 + identity_check(first17)


def card(first: str) -> str:
    return next(first + d for d in "0123456789" if luhn(first + d))


ID, CARD = identity("15020319900101123"), card("622202123456789012")

mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
landlines = st.from_regex(r"(010|02[0-9])[2-8][0-9]{7}|0[3-9][0-9]{2}[2-8][0-9]{6,7}", fullmatch=True)
identities = st.builds(
    lambda area, day, n: identity(f"{area}{day:%Y%m%d}{n:03}"),
    st.sampled_from(["110105", "150203", "150221", "440306", "650102", "810000"]),
    st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)),
    st.integers(0, 999),
)
cards = st.from_regex(r"62[0-9]{13,16}|4[0-9]{14}|5[1-5][0-9]{13}", fullmatch=True).map(card)
around = st.text("请打联系我的手机是，。：有事 \n楼", max_size=8)


@st.composite
def written(draw: st.DrawFn, digits: str) -> str:
    """A number as somebody may write it: in groups, wide, or spoken."""
    width = draw(st.sampled_from([None, WIDE, SPOKEN]))
    between = draw(st.sampled_from(["", " ", "-", " - ", ".", "·", "　", "\u200b"]))
    shape = draw(st.sampled_from(["whole", "singles", "pairs", "threes", "fours", "usual"]))
    size = {"whole": 99, "singles": 1, "pairs": 2, "threes": 3, "fours": 4, "usual": 4}[shape]
    cuts = list(range(size, len(digits), size))
    if shape == "usual" and len(digits) < 13:
        cuts = [3, 7] if digits[0] == "1" else [3 if digits[1] in "12" else 4]
    if len(digits) > 12 and digits[:2] != "15" and shape == "threes":
        cuts = list(range(4, len(digits), 4))
    parts = [digits[a:b] for a, b in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    return between.join(p.translate(width) if width else p for p in parts)


@given(st.data(), around, around)
def test_a_number_is_found_however_it_is_written(data: st.DataObject, before: str, after: str) -> None:
    kind, numbers = data.draw(
        st.sampled_from(
            [
                (Kind.MOBILE, mobiles),
                (Kind.LANDLINE, landlines),
                (Kind.IDENTITY, identities),
                (Kind.CARD, cards),
            ]
        )
    )
    number = data.draw(written(data.draw(numbers)))
    text = f"{before}{number}{after}"
    (hit,) = find(text)
    assert text[hit.start : hit.end] == number
    assert hit.kind == kind
    assert cover(text) == f"{before}{MASK}{after}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("打13800132210或13900132210", [("mobile", "13800132210"), ("mobile", "13900132210")]),
        ("13800132210 13900132210", [("mobile", "13800132210"), ("mobile", "13900132210")]),
        ("+86 138-0013-2210", [("mobile", "86 138-0013-2210")]),
        ("tel:13800132210", [("mobile", "13800132210")]),
        ("tel13800132210", [("mobile", "13800132210")]),
        ("手机一三八 零零一三 二二一零", [("mobile", "一三八 零零一三 二二一零")]),
        ("幺三八零零幺三二二幺零", [("mobile", "幺三八零零幺三二二幺零")]),
        ("１３８００１３２２１０", [("mobile", "１３８００１３２２１０")]),
        ("138零零13二二一零", [("mobile", "138零零13二二一零")]),
        ("(0472) 5123456", [("landline", "0472) 5123456")]),
        ("座机5123456", [("landline", "5123456")]),
        ("010-65123456", [("landline", "010-65123456")]),
        (f"身份证{ID}", [("identity", ID)]),
        (f"身份证{ID[:6]} {ID[6:14]} {ID[14:]}", [("identity", f"{ID[:6]} {ID[6:14]} {ID[14:]}")]),
        ("11010519491231002x", [("identity", "11010519491231002x")]),
        ("老证150203900101123", [("identity", "150203900101123")]),
        (f"卡号{CARD[:4]} {CARD[4:8]} {CARD[8:]}", [("card", f"{CARD[:4]} {CARD[4:8]} {CARD[8:]}")]),
    ],
)
def test_each_is_found_as_what_it_is(text: str, found: list[tuple[str, str]]) -> None:
    assert hits(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "工单26030200000001",
        "2026年3月2日 2026-03-02 18:30 20260302 2026.03.02",
        "花了13800132210元，一共138001元",
        "12345、110、119、400-600-1234、95588",
        "摄像机15020300001320000001",
        "网格150203001001001",
        "查询码LC-7Q4K-29XM-5TAB",
        "坐标110.13912345678,40.65",
        "3号楼2单元501室 3-2-501",
        "第11010519491231003号",
        "型号A13800132210",
        "5123456只羊",
        "一二三四五六七八九十",
        "文号〔2026〕12号 国办函2026第123456789号",
        "91150203MA0Q8XYZ12",
        "1971.12-1972.1，1986.2-1991.11",
        "电话 0 2020-05-21 00:00:00",
        "号码为2019-6-12办理，电话2013731日",
        "191474 12123上申请",
        "注册号：350104600385724",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert hits(text) == []
    assert cover(text) == text


@given(st.integers(0, 2**55 - 1))
def test_no_tracking_code_is_taken_for_a_number(bits: int) -> None:
    written_code = codes.written(codes.of_bits(bits))
    assert not [h for h in find(written_code) if h.kind in (Kind.MOBILE, Kind.IDENTITY, Kind.CARD)]


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_can_be_read_and_covering_twice_changes_nothing(text: str) -> None:
    spans = [(hit.start, hit.end) for hit in find(text)]
    assert all(a < b for a, b in spans)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))
    assert cover(cover(text)) == cover(text)
    assert cover_all(cover_all(text)) == cover_all(text)


@given(identities, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_no_identity_number(number: str, place: int, more: int) -> None:
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert Kind.IDENTITY not in [hit.kind for hit in find(wrong)]


def test_the_landline_of_an_office_may_stand_in_a_reply() -> None:
    reply = f"请打0472-5123456，不要打13800132210，证件{ID}"
    assert cover(reply, OF_A_PERSON) == f"请打0472-5123456，不要打{MASK}，证件{MASK}"


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    for text in ("1 " * 50_000, "1" * 100_000, "一" * 100_000, "1-" * 50_000, "x" * 100_000):
        find(text)


@pytest.mark.real_data
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
def test_real_messages_whose_numbers_were_removed_give_few_hits() -> None:
    texts = []
    for name in ("messages/labelled_train.csv", "messages/hot_topics.csv", "hotline/worksheets.csv"):
        with (DATA / name).open(encoding="utf-8-sig") as file:
            texts += [" ".join(v for v in row.values() if isinstance(v, str)) for row in csv.DictReader(file)]
    assert len(texts) > 7_000
    wrong = [h for t in texts for h in hits(t) if h[0] != "landline"]
    assert len(wrong) < len(texts) / 500, wrong
    assert not [w for _kind, w in wrong if re.fullmatch(r"20\d{6}", w)]
