"""Every message that the house sends has its words, and a city may choose its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lucheng.core.cases.lifecycle import TRANSITIONS
from lucheng.core.clocks.models import Clock
from lucheng.core.faults import Faulty
from lucheng.core.ledger import wording

pytestmark = pytest.mark.django_db

OWN = """
[[message]]
name = "received"
to = "requester"
zh = "已收到：{number}。"
en = "Received: {number}."
"""


def test_every_message_of_the_life_cycle_and_the_clocks_has_words_and_no_words_lie_idle() -> None:
    told = {(template, whom != "requester") for row in TRANSITIONS for template, whom in row.tells}
    told |= {("received", False), ("one_time", False)}
    told |= {(f"clock_{stage.name.lower()}", True) for stage in Clock.Stage if stage != Clock.Stage.QUIET}
    assert told == {(name, not wording.wording(name).to_requester) for name in wording.names()}


def test_a_citys_own_words_replace_those_of_the_pack(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path
    (tmp_path / "messages.toml").write_text(OWN, encoding="utf-8")
    assert (
        wording.wording("received").render("zh", {"number": "26030200000001"}) == "已收到：26030200000001。"
    )
    assert (
        wording.wording("replied")
        .render("zh", {"number": "1", "code": "2"})
        .startswith("您的诉求（1）已有办理答复")
    )


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("{phone}", "{number}", "phone"),
        ("{due}", "{number}", "due"),
        ("{number", "{number}", "zh"),
        ('to = "everybody"', 'to = "requester"', "to"),
    ],
)
def test_words_that_ask_for_what_they_may_not_have_are_refused_by_name(
    tmp_path: Path, wrong: str, right: str, says: str
) -> None:
    file = tmp_path / "messages.toml"
    file.write_text(OWN.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(Faulty) as refused:
        wording.read(file)
    assert says in str(refused.value.faults[0])


def test_words_to_a_unit_may_not_use_the_tracking_code(tmp_path: Path) -> None:
    file = tmp_path / "messages.toml"
    file.write_text(OWN.replace("requester", "unit").replace("{number}", "{code}"), encoding="utf-8")
    with pytest.raises(Faulty):
        wording.read(file)


@pytest.mark.parametrize(
    ("text", "characters", "parts"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("€" * 80, 160, 1),
        ("字" * 70, 70, 1),
        ("字" * 71, 71, 2),
        ("a" * 134 + "字", 135, 3),
        ("😀" * 35, 70, 1),
    ],
)
def test_a_text_message_is_counted_as_networks_count_it(text: str, characters: int, parts: int) -> None:
    assert wording.length(text) == wording.Length(characters, parts)


def test_every_text_of_the_pack_would_pass_on_the_page() -> None:
    for name in wording.names():
        pack = wording.of_pack(name)
        assert [wording.fault(pack, lang, pack.texts[lang]) for lang in wording.LANGUAGES] == [None, None], (
            name
        )
