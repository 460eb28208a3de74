"""The role catalogue: loaded from a pack, edited by a city, and never mixing what must be apart."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.utils import translation

from lucheng.core.errors import Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.organisation import capabilities, roles
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person, Post, Role

pytestmark = pytest.mark.django_db

EVERY_ROLE = {
    "duty_officer", "operator", "dispatcher", "handler", "unit_head", "supervisor", "grid_head", "grid_worker",
    "building_head", "stairwell_head", "building_chief_officer", "mediator", "lawyer", "social_worker",
    "community_worker",
    "border_ranger", "project_office", "auditor", "data_protection_officer", "administrator",
}  # fmt: skip
ADMINISTRATORS = ("administrator", "auditor", "data_protection_officer")
DAY = dt.date(2026, 3, 4)


def pack(folder: Path, text: str) -> Path:
    file = folder / "roles.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_national_pack_brings_every_role_and_loads_twice_without_a_change() -> None:
    added = set(roles.load().added)
    assert added >= EVERY_ROLE
    # What else it brings are the keepers of the rooms' registers, who see no case.
    assert not [r for r in Role.objects.exclude(code__in=EVERY_ROLE) if r.reach != Role.Reach.NONE]
    again = roles.load()
    assert (again.added, again.changed, set(again.unchanged)) == ((), (), added)


def test_no_administrator_reads_cases_or_contacts() -> None:
    roles.load()
    for role in Role.objects.filter(code__in=ADMINISTRATORS):
        assert role.reach == Role.Reach.NONE
        assert not [c for c in role.capabilities if c.startswith(("case.", "contact."))], role.code


def test_the_three_administrators_hold_different_rights() -> None:
    roles.load()
    held = [
        set(r.capabilities) & set(capabilities.SEPARATED)
        for r in Role.objects.filter(code__in=ADMINISTRATORS)
    ]
    assert sorted(len(h) for h in held) == [1, 1, 1]
    assert set().union(*held) == set(capabilities.SEPARATED)


def test_every_capability_is_given_by_some_role() -> None:
    roles.load()
    given = {c for r in Role.objects.all() for c in r.capabilities}
    assert given == set(capabilities.CAPABILITIES)


def test_an_edited_role_changes_what_its_posts_allow_and_keeps_the_posts() -> None:
    roles.load()
    person = Person.objects.create_user("li", None, name="Li")
    Post.objects.create(person=person, role_id="supervisor", place="1502", valid_from=dt.date(2020, 1, 1))
    assert scope_of(person, DAY).can("case.supervise")
    roles.edit("supervisor", name="督查员", name_en="Inspector", reach="place", held=["case.view"])
    scope = scope_of(person, DAY)
    assert scope.can("case.view") and not scope.can("case.supervise")
    assert Post.objects.get().role.name == "督查员"


def test_a_pack_changes_what_a_city_has_and_leaves_its_own_roles() -> None:
    roles.load()
    Role.objects.create(code="own", name="自定", reach="none", capabilities=[])
    roles.edit("lawyer", name="值班律师", name_en="", reach="unit", held=["case.view"])
    loaded = roles.load()
    assert loaded.changed == ("lawyer",)
    assert Role.objects.filter(code="own").exists()


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (["case.view", "case.fly"], "no capability “case.fly”"),
        (["organisation.edit", "ledger.verify"], "held by different people"),
        (["privacy.audit", "ledger.verify"], "held by different people"),
        (["organisation.edit", "case.view"], "may not read or handle cases"),
        (["ledger.verify", "contact.reveal"], "may not read or handle cases"),
    ],
)
def test_what_must_be_apart_is_refused_and_nothing_changes(held: list[str], words: str) -> None:
    roles.load()
    before = Role.objects.get(code="dispatcher").capabilities
    with pytest.raises(Invalid) as refused, translation.override("en"):
        roles.edit("dispatcher", name="派单员", name_en="", reach="place", held=held)
    with translation.override("en"):
        assert words in str(refused.value.fields["capabilities"])
    assert Role.objects.get(code="dispatcher").capabilities == before


def test_a_role_that_reaches_no_cases_cannot_handle_them() -> None:
    roles.load()
    with pytest.raises(Invalid) as refused:
        roles.edit("auditor", name="审计员", name_en="", reach="none", held=["case.view"])
    assert list(refused.value.fields) == ["reach"]
    with pytest.raises(Invalid) as refused:
        roles.edit("auditor", name="审计员", name_en="", reach="everywhere", held=[])
    assert list(refused.value.fields) == ["reach"]


def test_an_unknown_role_and_an_empty_name_are_refused() -> None:
    roles.load()
    with pytest.raises(NotFound):
        roles.edit("king", name="王", name_en="", reach="none", held=[])
    with pytest.raises(Invalid):
        roles.edit("auditor", name=" ", name_en="", reach="none", held=[])


def test_a_faulty_pack_names_every_fault_and_writes_nothing(tmp_path: Path) -> None:
    text = """
[[role]]
code = "a"
name = "甲"
name_en = "A"
reach = "place"
capabilities = ["case.fly"]
[[role]]
code = "b"
name = "乙"
name_en = "B"
reach = "moon"
capabilities = []
"""
    with pytest.raises(Faulty) as refused:
        roles.load(pack(tmp_path, text))
    assert [(f.row, str(f.column)) for f in refused.value.faults] == [(1, "capabilities"), (2, "reach")]
    assert not Role.objects.exists()
