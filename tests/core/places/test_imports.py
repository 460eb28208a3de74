"""A code list is taken over whole: what changed becomes validity and successions, and the past stays as it was."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
import shapely
from django.db import connection

from lucheng.core.errors import Invalid
from lucheng.core.faults import Faulty
from lucheng.core.places import history, imports, names
from lucheng.core.places.imports import Report, declare, import_lists, set_aliases
from lucheng.core.places.models import Boundary, Building, Division, Estate, Kind, Succession
from lucheng.core.revisions.models import Revision
from tests.core.places.lists import LUYUAN, rows, write, write_rows

pytestmark = pytest.mark.django_db

COMMUNITY, OTHER, GACHA = "990102001001", "990102001002", "990121200200"
Y2020, Y2021, Y2022 = (dt.date(y, 1, 1) for y in (2020, 2021, 2022))


def take(folder: Path, years: dict[int, dict[str, str]], **options: Any) -> list[Report]:
    return import_lists([write(folder, years)], **options)


def luyuan(**changes: str | None) -> dict[str, str]:
    """Luyuan with divisions renamed, added or (None) dropped; keys are codes without trailing zeros after an ``x``."""
    divisions = dict(LUYUAN)
    for key, name in changes.items():
        code = key.removeprefix("x").ljust(12, "0")
        if name is None:
            del divisions[code]
        else:
            divisions[code] = name
    return dict(sorted(divisions.items()))


def everything() -> list[tuple[Any, ...]]:
    return [
        *Division.objects.order_by("pk").values_list(),
        *Succession.objects.order_by("pk").values_list(),
        *Revision.objects.values_list(),
    ]


def test_the_first_list_is_in_force_from_its_first_of_january(tmp_path: Path) -> None:
    [report] = take(tmp_path, {2020: LUYUAN})
    assert len(report.changes.added) == Division.objects.as_of(Y2020).count() == len(LUYUAN) - 1
    assert not Division.objects.as_of(dt.date(2019, 12, 31)).exists()
    assert [e.name for e in report.placeholders] == ["市辖区"]


def test_banner_sumu_and_gacha_are_kept_as_what_they_are(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    kinds = dict(Division.objects.under("990121").values_list("code", "kind"))
    assert kinds == {
        "990121": Kind.BANNER, "990121200": Kind.SUMU, GACHA: Kind.GACHA, "990121200201": Kind.GACHA,
    }  # fmt: skip


def test_a_renamed_division_can_be_looked_up_as_of_any_day(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001001="花园社区")})
    assert names.get(COMMUNITY, dt.date(2020, 12, 31)).name == "花园社区居委会"  # type: ignore[union-attr]
    assert names.get(COMMUNITY, Y2021).name == "花园社区"  # type: ignore[union-attr]
    succession = Succession.objects.get()
    assert (succession.before.code, succession.after.code) == (COMMUNITY, COMMUNITY)
    assert (succession.at, succession.how, succession.basis) == (Y2021, "renamed", "code")


def test_a_dropped_division_is_reported_and_ends_on_the_day(tmp_path: Path) -> None:
    _, report = take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001002=None)})
    assert [e.name for e in report.changes.dropped] == ["钢花社区居委会"]
    assert names.exists(OTHER, dt.date(2020, 12, 31))
    assert not names.exists(OTHER, Y2021)


def test_villages_merged_into_one_are_reported_so(tmp_path: Path) -> None:
    merged = luyuan(x990102100200=None, x990102100201=None, x990102100202="杨柳村委会")
    _, report = take(tmp_path, {2020: LUYUAN, 2021: merged})
    assert [(s.before.name, s.after.name) for s in report.steps(Succession.How.MERGED)] == [
        ("上杨柳村委会", "杨柳村委会"),
        ("下杨柳村委会", "杨柳村委会"),
    ]
    assert not report.changes.added
    assert Succession.objects.filter(how="merged", after__code="990102100202").count() == 2


def test_what_became_of_a_division_is_followed_over_years(tmp_path: Path) -> None:
    moved = luyuan(x990102001001=None, x990102002005="花园社区居委会")
    take(
        tmp_path, {2020: LUYUAN, 2021: moved, 2022: luyuan(x990102001001=None, x990102002005="花园新城社区")}
    )
    row = history.row(COMMUNITY, Y2022)
    assert row is not None
    assert [(s.at.year, s.after.name) for s in history.fate(row)] == [
        (2021, "花园社区居委会"),
        (2022, "花园新城社区"),
    ]
    assert [s.before.code for s in history.origins(Division.objects.get(name="花园新城社区"))] == [
        "990102002005"
    ]


def test_the_same_list_twice_changes_nothing(tmp_path: Path) -> None:
    years = {2020: LUYUAN, 2021: luyuan(x990102001001="花园社区"), 2022: luyuan(x990102001001="金桥社区")}
    take(tmp_path, years)
    before = everything()
    assert not any(r.changes for r in take(tmp_path, years))
    assert not any(r.changes for r in take(tmp_path, {2021: years[2021]}))
    assert everything() == before


def test_an_older_list_that_differs_would_change_the_past_and_is_refused(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2022: luyuan(x990102001001="花园社区")})
    before = everything()
    with pytest.raises(Faulty) as refused:
        take(tmp_path, {2021: luyuan(x990102001002="铁西社区居委会")})
    assert "as of 2022-01-01" in str(refused.value.faults[0])
    assert "990102001002 铁西社区居委会" in str(refused.value.faults[0])
    assert everything() == before


def test_a_corrected_list_of_a_year_already_taken_over_is_refused(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    with pytest.raises(Faulty):
        take(tmp_path, {2020: luyuan(x990102001001="花园社区")})
    [report] = take(tmp_path, {2020: luyuan(x990102001001="花园社区")}, as_of=dt.date(2020, 3, 1))
    assert report.changes.steps


def test_one_bad_row_in_the_last_year_leaves_no_year_written(tmp_path: Path) -> None:
    table = [*rows(2020, LUYUAN), *rows(2021, LUYUAN)]
    table[-1][1] = "99012120020X"
    with pytest.raises(Faulty):
        import_lists([write_rows(tmp_path, table)])
    assert not Division.objects.exists()


def test_a_fault_found_while_writing_undoes_the_years_before_it(tmp_path: Path) -> None:
    take(tmp_path, {2021: LUYUAN})
    before = everything()
    with pytest.raises(Faulty):
        take(tmp_path, {2020: luyuan(x990102001002=None), 2022: luyuan(x990102001001="花园社区")})
    with pytest.raises(Faulty):
        take(tmp_path, {2020: LUYUAN, 2022: luyuan(x990102001001="花园社区")})
    assert everything() == before


def test_a_break_between_two_years_leaves_none_written(tmp_path: Path) -> None:
    def watch(lists: Any) -> Any:
        yield lists[0]
        raise ConnectionError("the line went dead")

    with pytest.raises(ConnectionError):
        take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001001="花园社区")}, watch=watch)
    assert not Division.objects.exists()


def test_a_trial_reports_and_writes_nothing(tmp_path: Path) -> None:
    [report] = take(tmp_path, {2020: LUYUAN}, dry_run=True)
    assert report.changes.added
    assert not Division.objects.exists()
    assert not Revision.objects.filter(name="places").exists()


def test_readers_see_the_new_names_at_once(tmp_path: Path) -> None:
    from lucheng.core.revisions import snapshot

    take(tmp_path, {2020: LUYUAN})
    snapshot.forget()
    assert names.place_name(COMMUNITY).endswith("花园社区居委会")
    number = Revision.objects.get(name="places").number
    take(tmp_path, {2021: luyuan(x990102001001="金桥社区")})
    assert Revision.objects.get(name="places").number == number + 1


def test_a_list_of_one_county_says_nothing_about_the_others(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    banner = {c: n for c, n in luyuan(x990121200201=None).items() if c.startswith("990121")}
    [report] = take(tmp_path, {2021: banner})
    assert [e.name for e in report.changes.dropped] == ["查干嘎查"]
    assert names.exists(COMMUNITY, Y2021)


def test_a_list_that_ends_with_townships_says_nothing_about_communities(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    towns = {c: n for c, n in LUYUAN.items() if c.endswith("000") and c != "990102002000"}
    [report] = take(tmp_path, {2021: towns})
    assert [e.name for e in report.changes.dropped] == ["和顺街道办事处"]
    assert names.exists("990102002001", Y2021)
    assert [(b.code, b.divisions) for b in report.left_behind] == [("990102002", 1)]


def test_a_county_whose_city_is_unknown_is_refused(tmp_path: Path) -> None:
    banner = {c: n for c, n in LUYUAN.items() if c.startswith("990121")}
    with pytest.raises(Faulty) as refused:
        take(tmp_path, {2020: banner})
    assert "9901, above 990121, is not in force on 2020-01-01" in str(refused.value.faults[0])


def test_what_still_carries_a_code_that_ended_is_reported(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    grid = OTHER + "001"
    Division.objects.create(code=grid, level=15, kind=Kind.BASIC_GRID, name="001网格", valid_from=Y2020)
    estate = Estate.objects.create(name="钢花小区", place=OTHER)
    Building.objects.create(estate=estate, name="1号楼", grid=grid)
    [report] = take(tmp_path, {2021: luyuan(x990102001002=None)})
    [left] = report.left_behind
    assert (left.code, left.divisions, left.estates, left.buildings) == (OTHER, 1, 1, 1)


def test_outline_counts_and_what_people_call_it_go_with_a_new_name(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    old = Division.objects.get(code=COMMUNITY)
    Division.objects.filter(pk=old.pk).update(households=900, residents=2300, aliases=["花园里"])
    Boundary.objects.create(
        division=old, shape=shapely.to_wkb(shapely.box(110, 40, 110.1, 40.1)), source_crs="wgs84"
    )
    take(tmp_path, {2021: luyuan(x990102001001="花园社区")})
    new = Division.objects.as_of(Y2021).get(code=COMMUNITY)
    assert (new.households, new.residents, new.aliases) == (900, 2300, ["花园里"])
    assert new.boundary.shape == old.boundary.shape


def test_the_counts_of_one_of_several_that_merged_are_not_those_of_the_whole(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    Division.objects.filter(code="990102100200").update(residents=500)
    take(tmp_path, {2021: luyuan(x990102100200="杨柳村委会", x990102100201=None)})
    merged = Division.objects.as_of(Y2021).get(code="990102100200")
    assert [s.before.name for s in history.origins(merged)] == ["上杨柳村委会", "下杨柳村委会"]
    assert merged.residents is None


def test_a_kind_corrected_by_hand_stays(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    Division.objects.filter(code="990102002").update(kind=Kind.PARK)
    take(tmp_path, {2021: luyuan(x990102001001="花园社区")})
    assert Division.objects.as_of(Y2021).get(code="990102002").kind == Kind.PARK


def test_a_community_that_returns_after_years_is_tied_to_what_it_was(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001002=None), 2022: LUYUAN})
    assert [d.valid_from for d in Division.objects.filter(code=OTHER).order_by("valid_from")] == [
        Y2020,
        Y2022,
    ]
    assert Succession.objects.get().how == "returned"
    assert not names.exists(OTHER, Y2021)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    file = write(tmp_path, {2020: LUYUAN})
    reports: list[Report] = []
    problems: list[BaseException] = []
    start = threading.Barrier(2)

    def run() -> None:
        try:
            start.wait(timeout=10)
            reports.extend(import_lists([file]))
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=30)
    assert not problems
    assert sorted(bool(r.changes) for r in reports) == [False, True]
    assert Division.objects.count() == len(LUYUAN) - 1


# What a person declares


def test_what_a_person_declares_replaces_what_was_inferred(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001001="金桥社区")})
    assert Succession.objects.get().basis == "code_alone"
    declare(COMMUNITY, [OTHER], Succession.How.MERGED, at=Y2021)
    succession = Succession.objects.get()
    assert (succession.after.code, succession.how, succession.basis) == (OTHER, "merged", "declared")
    assert Succession.is_certain(succession.how, succession.basis)


def test_a_wrong_inference_is_removed_by_declaring_nothing(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001001="金桥社区")})
    declare(COMMUNITY, [], Succession.How.MERGED, at=Y2021)
    assert not Succession.objects.exists()


def test_only_what_ended_that_day_can_be_declared_and_only_into_what_is_in_force(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN, 2021: luyuan(x990102001002=None)})
    with pytest.raises(Invalid) as refused:
        declare(COMMUNITY, [GACHA], Succession.How.MERGED, at=Y2021)
    assert "before" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        declare(OTHER, ["990102009009"], Succession.How.MERGED, at=Y2021)
    assert "after" in refused.value.fields
    assert not Succession.objects.exists()


def test_aliases_are_set_for_what_is_in_force_only(tmp_path: Path) -> None:
    take(tmp_path, {2020: LUYUAN})
    set_aliases("990102", ["东区", " 东区 "], day=Y2020)
    assert Division.objects.get(code="990102").aliases == ["东区"]
    for code, wrong in (("990109", ["北区"]), ("990102", ["东"])):
        with pytest.raises(Invalid):
            set_aliases(code, wrong, day=Y2020)


def test_the_number_of_queries_does_not_grow_with_the_list(tmp_path: Path) -> None:
    from django.test.utils import CaptureQueriesContext

    def count(year: int, communities: int) -> int:
        more = {f"990102001{n:03d}": f"新{n}号社区" for n in range(10, 10 + communities)}
        with CaptureQueriesContext(
            connection,
        ) as queries:
            take(tmp_path, {year: luyuan(**{f"x{c}": n for c, n in more.items()})})
        return len(queries)

    take(tmp_path, {2020: LUYUAN})
    assert count(2021, 1) == count(2022, 90)
    assert imports.LISTED == (4, 6, 9, 12)
