"""Reply templates: the national pack, the units' own, and what may never stand in one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils.translation import override

from lucheng.core.cases.models import State
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.triage import reply, templates
from lucheng.core.triage.models import ReplyTemplate
from tests import factories
from tests.factories import HEATING, LAMP, NOW, City, case_in

PACK = """
[[template]]
code = "lamp"
name = "路灯"
matter = "0102"
text = "您好，{place}的路灯（{number}）由{unit}修好。"
[[template]]
code = "any"
name = "通用"
text = "您好，已办理。"
"""


@pytest.fixture
def city(db: None) -> City:
    return factories.city()


def pack(folder: Path, text: str) -> Path:
    file = folder / "templates.toml"
    file.write_text(text, encoding="utf-8")
    return file


def keep(city: City, template: ReplyTemplate | None = None, **changes: object) -> ReplyTemplate:
    """Save a template of the utilities bureau as its handler."""
    own = city.units["utilities"].pk
    given: dict[str, object] = {
        "unit": own,
        "name": "路灯",
        "matter": "",
        "text": "您好，已办理。",
        "units": {own},
    }
    given |= {"person": city.people["handler"], "version": template.version if template else 0, "now": NOW}
    return templates.save(template, **{**given, **changes})  # type: ignore[arg-type]


def test_a_pack_is_loaded_changed_and_loaded_again_without_a_change(city: City, tmp_path: Path) -> None:
    first = templates.load(NOW, pack(tmp_path, PACK))
    assert (first.added, first.changed, first.unchanged, first.kept) == (2, 0, 0, ())
    again = templates.load(NOW, pack(tmp_path, PACK))
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    changed = templates.load(
        NOW, pack(tmp_path, PACK.split('[[template]]\ncode = "any"')[0].replace("修好", "修复"))
    )
    assert (changed.added, changed.changed, changed.unchanged, changed.kept) == (0, 1, 0, ("any",))
    assert "修复" in ReplyTemplate.objects.get(code="lamp").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (PACK.replace("{unit}", "{requester}"), "{requester}"),
        (PACK.replace("已办理", "请拨打13800001111"), "personal numbers"),
        (PACK.replace('"0102"', '"9999"'), "no such class of matter"),
        (PACK.replace('name = "通用"', 'name = ""'), "may not be empty"),
    ],
)
def test_a_faulty_pack_is_refused_whole(city: City, tmp_path: Path, wrong: str, said: str) -> None:
    with override("en"), pytest.raises(Faulty) as refused:
        templates.load(NOW, pack(tmp_path, wrong))
    with override("en"):
        assert said in " ".join(str(f) for f in refused.value.faults)
    assert not ReplyTemplate.objects.exists()


def test_the_national_templates_pass_their_own_check_once_the_writer_has_filled_them_in(city: City) -> None:
    assert templates.load(NOW).added >= 12
    case = case_in(State.SIGNED, city)
    for template in ReplyTemplate.objects.all():
        filled = templates.fill(template, case)
        assert "{" not in filled, template.name
        assert "blank" in {f.kind for f in reply.check(filled, case.content)}, template.name
        written = re.sub("【[^】]*】", "一", filled)
        assert {f.kind for f in reply.check(written, case.content)} <= {"unanswered"}, template.name


def test_a_template_is_filled_from_the_case_and_never_from_its_requester(city: City, tmp_path: Path) -> None:
    templates.load(NOW, pack(tmp_path, PACK))
    case = case_in(State.SIGNED, city)
    filled = templates.fill(ReplyTemplate.objects.get(code="lamp"), case)
    assert filled == (
        f"您好，长青街道 · 花园社区 · 001网格的路灯（{case.number}）由{city.units['utilities'].name}修好。"
    )
    assert set(templates.BLANKS) == {"number", "place", "matter", "unit", "unit_phone"}


def test_what_the_case_cannot_fill_stays_marked(city: City) -> None:
    case = case_in(State.SIGNED, city)
    assert templates.fill(ReplyTemplate(text="电话{unit_phone}"), case) == "电话【unit_phone】"


def test_for_a_case_come_the_units_own_first_and_the_closest_to_its_matter(
    city: City, tmp_path: Path
) -> None:
    templates.load(NOW, pack(tmp_path, PACK))
    own = keep(city, name="本局", matter="01")
    keep(city, name="供热", matter=HEATING)
    theirs = city.units["heating"].pk
    keep(city, name="别家", unit=theirs, units={theirs})
    case = case_in(State.SIGNED, city)
    assert case.matter == LAMP
    assert [t.name for t in templates.for_case(case)] == [own.name, "路灯", "通用"]


def test_a_unit_keeps_changes_and_retires_its_own_alone(city: City, tmp_path: Path) -> None:
    made = keep(city)
    changed = keep(city, made, text="您好，已修好。")
    assert (changed.version, changed.text) == (2, "您好，已修好。")
    with pytest.raises(Conflict):  # made is the first version, which somebody has changed since
        keep(city, made, text="旧")
    other = city.units["heating"].pk
    with pytest.raises(Forbidden):
        keep(city, changed, unit=other, units={other})
    templates.load(NOW, pack(tmp_path, PACK))
    with pytest.raises(Forbidden):
        keep(city, ReplyTemplate.objects.get(code="lamp"))
    units = {city.units["utilities"].pk}
    templates.retire(changed, units=units, person=city.people["handler"], version=2, now=NOW)
    with pytest.raises(NotFound):
        keep(city, changed)
    assert made.pk not in {t.pk for t in templates.of_units(units)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "名" * 41}, "name"),
        ({"matter": "9999"}, "matter"),
        ({"text": ""}, "text"),
        ({"text": "字" * 2001}, "text"),
        ({"text": "联系{name}"}, "text"),
        ({"text": "请拨打13800001111"}, "text"),
    ],
)
def test_what_may_not_stand_in_a_template_is_refused_at_its_field(
    city: City, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        keep(city, **changes)
    assert set(refused.value.fields) == {field}
    assert not ReplyTemplate.objects.exists()


def test_a_unit_keeps_no_more_than_can_be_found_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST", 1)
    keep(city)
    with pytest.raises(Conflict):
        keep(city)
