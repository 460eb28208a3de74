"""Drafts are edited, compared and published; what is published is never edited, only replaced."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import translation

from lucheng.core.dispatch import catalogue, editions
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.dispatch.rules import Row, rows_of
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.faults import Faulty
from lucheng.core.revisions.snapshot import forget
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

PUBLISHED, RETIRED, DRAFT = Version.State.PUBLISHED, Version.State.RETIRED, Version.State.DRAFT


def test_a_faulty_row_writes_nothing_at_all() -> None:
    city.lay_out()
    with pytest.raises(Faulty) as refused, translation.override("en"):
        city.draft(city.LAMPS, replace(city.CLUTTER, basis=""))
    assert [(f.row, f.column) for f in refused.value.faults] == [(3, "依据")]
    assert not Version.objects.exists()
    assert not Rule.objects.exists()


def test_numbers_go_up_and_a_discarded_number_may_come_again() -> None:
    city.lay_out()
    assert [city.draft(city.LAMPS).number, city.draft(city.LAMPS).number] == [1, 2]
    editions.discard(editions.get(2))
    assert city.draft(city.LAMPS).number == 2


def test_a_draft_starts_from_what_is_in_force() -> None:
    city.lay_out()
    current = city.in_force(city.LAMPS, city.CLUTTER)
    fresh = editions.draft_from_published("迎检", city.NOW)
    assert (fresh.state, fresh.note) == (DRAFT, "迎检")
    assert rows_of(fresh) == rows_of(current) == [city.LAMPS, city.CLUTTER]


def test_the_first_draft_starts_empty() -> None:
    assert rows_of(editions.draft_from_published("", city.NOW)) == []


def test_rows_are_put_replaced_and_dropped() -> None:
    city.lay_out()
    version = city.draft(city.LAMPS)
    editions.put(version, city.CLUTTER, city.NOW)
    moved = replace(city.CLUTTER, place="150203", lead="urban", assists=("police",))
    editions.put(version, moved, city.NOW, instead_of=city.CLUTTER)
    assert rows_of(version) == [city.LAMPS, moved]
    editions.drop(version, city.LAMPS)
    assert rows_of(version) == [moved]
    with pytest.raises(Conflict):
        editions.drop(version, city.LAMPS)


def test_a_row_put_twice_is_refused_and_a_refused_replacement_loses_nothing() -> None:
    city.lay_out()
    version = city.draft(city.LAMPS, city.CLUTTER)
    with pytest.raises(Invalid) as refused:
        editions.put(version, city.LAMPS, city.NOW)
    assert list(refused.value.fields) == ["事项编码"]
    with pytest.raises(Invalid):
        editions.put(version, replace(city.LAMPS, basis=""), city.NOW, instead_of=city.CLUTTER)
    assert rows_of(version) == [city.LAMPS, city.CLUTTER]


def test_of_two_who_edit_one_row_the_second_is_told() -> None:
    city.lay_out()
    version = city.draft(city.LAMPS)
    first = replace(city.LAMPS, lead="urban")
    editions.put(version, first, city.NOW, instead_of=city.LAMPS)
    with pytest.raises(Conflict):
        editions.put(version, replace(city.LAMPS, lead="police"), city.NOW, instead_of=city.LAMPS)
    with pytest.raises(Conflict):
        editions.drop(version, city.LAMPS)
    assert rows_of(version) == [first]


def test_what_is_published_can_no_longer_be_changed() -> None:
    city.lay_out()
    current = city.in_force(city.LAMPS)
    for attempt in (
        lambda: editions.put(current, city.CLUTTER, city.NOW),
        lambda: editions.drop(current, city.LAMPS),
        lambda: editions.discard(current),
    ):
        with pytest.raises(Conflict):
            attempt()
    assert rows_of(current) == [city.LAMPS]


def test_two_editions_differ_by_row() -> None:
    city.lay_out()
    old = city.draft(city.LAMPS, city.CLUTTER, Row("01", "1502", "urban", (), "三定方案"))
    changed = replace(city.CLUTTER, assists=("urban",))
    reordered = replace(city.LAMPS, note="新备注")
    new = city.draft(reordered, changed, Row("02", "1502", "urban", (), "三定方案"))
    assert [(c.matter, c.place, c.before is None, c.after is None) for c in editions.diff(old, new)] == [
        ("01", "1502", False, True),
        ("02", "1502", True, False),
        ("0201", "150203001", False, False),
    ]
    assert len(editions.diff(None, new)) == 3
    assert editions.diff(new, new) == []


def test_publishing_retires_the_edition_before_and_is_seen_by_readers() -> None:
    city.lay_out()
    first = city.in_force(city.LAMPS)
    person = city.officer("li")
    second = city.draft(replace(city.LAMPS, lead="urban"))
    editions.publish(second, person, city.NOW)
    forget()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (RETIRED, PUBLISHED)
    assert (second.published_by, second.published_at) == (person, city.NOW)
    found = catalogue.decide("0102", "1502")
    assert found is not None and (found.version, found.lead_unit_name) == (second.number, "钢铁区城管局")


def test_publishing_takes_the_capability() -> None:
    city.lay_out()
    draft = city.draft(city.LAMPS)
    with pytest.raises(Forbidden):
        editions.publish(draft, city.officer("zhao", "catalogue.edit"), city.NOW)
    assert editions.in_force() is None


def test_a_draft_is_published_once() -> None:
    city.lay_out()
    version = city.in_force(city.LAMPS)
    with pytest.raises(Conflict):
        editions.publish(version, city.officer(), city.NOW)


def test_an_empty_draft_would_leave_every_case_without_a_unit() -> None:
    with pytest.raises(Invalid):
        editions.publish(editions.draft_from_published("", city.NOW), city.officer(), city.NOW)


def test_a_unit_closed_since_the_draft_was_written_stops_its_publication() -> None:
    units = city.lay_out()
    draft = city.draft(city.LAMPS)
    units["lighting"].active = False
    units["lighting"].save()
    with pytest.raises(Faulty) as refused:
        editions.publish(draft, city.officer(), city.NOW)
    assert refused.value.faults[0].column == "主办单位编码"
    assert editions.in_force() is None


def test_who_compared_with_an_edition_that_is_no_longer_in_force_must_compare_again() -> None:
    city.lay_out()
    first = city.in_force(city.LAMPS)
    mine = city.draft(city.CLUTTER)
    city.in_force(replace(city.LAMPS, lead="urban"))
    person = city.officer("li")
    with pytest.raises(Conflict):
        editions.publish(mine, person, city.NOW, replaces=first.number)
    current = editions.in_force()
    assert current is not None
    editions.publish(mine, person, city.NOW, replaces=current.number)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_one_wins_and_one_is_told() -> None:
    city.lay_out()
    first = city.in_force(city.LAMPS)
    person = city.officer("li")
    drafts = [city.draft(replace(city.LAMPS, lead="urban")), city.draft(city.CLUTTER)]
    ready = threading.Barrier(2)
    outcomes: list[object] = []

    def run(draft: Version) -> None:
        try:
            ready.wait(10)
            outcomes.append(editions.publish(draft, person, city.NOW, replaces=first.number))
        except Conflict as conflict:
            outcomes.append(conflict)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[d]) for d in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Version"]
    assert sorted(Version.objects.values_list("state", flat=True)) == [DRAFT, PUBLISHED, RETIRED]


def test_a_county_publishes_only_what_changes_in_the_county() -> None:
    city.lay_out()
    current = city.in_force(city.LAMPS, city.CLUTTER)
    county = city.officer("county")
    county.posts.update(place="150203")
    inside = city.draft(city.LAMPS, replace(city.CLUTTER, lead="urban", assists=()))
    outside = city.draft(replace(city.LAMPS, lead="urban"), city.CLUTTER)
    with pytest.raises(Forbidden) as refused, translation.override("en"):
        editions.publish(outside, county, city.NOW)
    with translation.override("en"):
        assert "rows at 鹿城" in str(refused.value.detail)
    assert editions.in_force() == current
    assert editions.publish(inside, county, city.NOW).state == PUBLISHED
