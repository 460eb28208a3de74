"""Loading the classes of matter from a pack: all or none, and never deleting one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation

from lucheng.core.dispatch import matters
from lucheng.core.dispatch.models import Matter
from lucheng.core.faults import Faulty
from lucheng.core.revisions.snapshot import forget

pytestmark = pytest.mark.django_db

PACK = """
[[matter]]
code = "01"
name = "市政公用"
name_en = "Municipal facilities"
[[matter]]
code = "0102"
name = "道路照明"
terms = ["路灯"]
examples = ["路灯不亮"]
grassroots = true
urgency = "urgent"
"""


def pack(folder: Path, text: str) -> Path:
    file = folder / "matters.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(path: Path) -> list[str]:
    with pytest.raises(Faulty) as refused, translation.override("en"):
        matters.load(path)
    assert not Matter.objects.exists()
    with translation.override("en"):
        return [str(f) for f in refused.value.faults]


def test_loads_adds_changes_and_keeps(tmp_path: Path) -> None:
    first = matters.load(pack(tmp_path, PACK))
    assert (first.added, first.changed, first.unchanged, first.kept) == (2, 0, 0, ())
    lamp = Matter.objects.get(code="0102")
    assert (lamp.name, lamp.terms, lamp.examples, lamp.grassroots, lamp.urgency) == (
        "道路照明", ["路灯"], ["路灯不亮"], True, "urgent",
    )  # fmt: skip
    again = matters.load(
        pack(
            tmp_path,
            PACK.replace("道路照明", "城市照明").split('[[matter]]\ncode = "01"')[0]
            + PACK.split("[[matter]]")[2].join(["[[matter]]", ""]).replace("道路照明", "城市照明"),
        )
    )
    assert (again.added, again.changed, again.unchanged, again.kept) == (0, 1, 0, ("01",))
    assert Matter.objects.count() == 2


def test_the_same_pack_twice_changes_nothing(tmp_path: Path) -> None:
    matters.load(pack(tmp_path, PACK))
    again = matters.load(pack(tmp_path, PACK))
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)


def test_names_follow_the_reader_and_fall_back(tmp_path: Path) -> None:
    matters.load(pack(tmp_path, PACK))
    forget()
    with translation.override("en"):
        assert str(matters.name("01")) == "Municipal facilities"
        assert str(matters.name("0102")) == "道路照明"
        assert str(matters.name("77")) == "77"
    with translation.override("zh-hans"):
        assert str(matters.name("01")) == "市政公用"
    assert matters.exists("01") and not matters.exists("77")
    assert matters.known()["0102"].urgency == "urgent"


def test_every_fault_is_named_at_its_entry(tmp_path: Path) -> None:
    text = """
[[matter]]
code = "1"
name = "一"
[[matter]]
code = "0305"
name = "二"
[[matter]]
code = "02"
name = "三"
urgency = "at once"
"""
    assert faults(pack(tmp_path, text)) == [
        "row 1, code: write two digits for each level: 01, 0102, 010203",
        "row 2, code: the class above it, 03, is missing",
        "row 3, urgency: write urgent or critical, or leave it out",
    ]


def test_wrong_kinds_unknown_keys_and_repeats_are_named(tmp_path: Path) -> None:
    text = """
[[matter]]
code = "01"
name = ""
colour = "red"
[[matter]]
code = "01"
terms = "路灯"
grassroots = "yes"
"""
    assert faults(pack(tmp_path, text)) == [
        "row 1, colour: there is no such key",
        "row 1, name: this may not be empty",
        "row 2, name: this is missing",
        "row 2, terms: write a list of texts",
        "row 2, grassroots: write true or false",
        "row 2, code: the same as in entry 1",
    ]


@pytest.mark.parametrize(
    "text", ["not toml at all", "[matter]\ncode = '01'", "[[other]]\ncode = '01'", "\x00"]
)
def test_what_is_no_pack_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    assert faults(pack(tmp_path, text))[0].startswith("matters.toml: ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in faults(tmp_path / "none.toml")[0]


def test_the_national_pack_loads() -> None:
    loaded = matters.load()
    assert loaded.added > 50
    assert Matter.objects.filter(grassroots=True).exists()
    assert (
        Matter.objects.filter(urgency="critical").exists() or Matter.objects.filter(urgency="urgent").exists()
    )
