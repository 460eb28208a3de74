"""The command overview and its wall: for whom, with which figures, and what each costs to ask again."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases import today
from lucheng.core.cases.models import Case, State
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import City, case_in, client, received

PAGES = ["/overview/", "/wall/"]


@pytest.fixture
def city(db: None, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(today, "LATE", 0.0)  # nothing is kept once something has happened
    return factories.city()


def numbers(page: str) -> dict[str, tuple[int, str]]:
    """Figure → its number, and the address that it opens."""
    found = re.findall(
        r'<li class="(\w+)"><a href="([^"]+)"><span class="label">[^<]*</span> <strong class="figure">([\d,]+)<',
        page,
    )
    return {key: (int(n.replace(",", "")), address.replace("&amp;", "&")) for key, address, n in found}


def rows(who: Client, address: str) -> int:
    answer = who.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode().count("data-number=")


@pytest.mark.parametrize("page", PAGES)
def test_the_overview_is_for_posts_that_reach_a_place(city: City, page: str) -> None:
    assert Client().get(page).status_code == 302
    for name in ("handler", "grid_worker", "administrator", "auditor"):
        assert client(city, name).get(page).status_code == 403
    for name in ("duty_officer", "supervisor", "dispatcher", "operator", "east_dispatcher"):
        assert client(city, name).get(page).status_code == 200
    assert client(city, "duty_officer").post(page).status_code == 405


def test_the_bar_shows_it_to_those_it_is_for(city: City) -> None:
    link = 'href="/overview/"'
    assert link in client(city, "supervisor").get("/board/").content.decode()
    assert link not in client(city, "handler").get("/board/").content.decode()


def test_every_number_opens_to_exactly_its_rows(city: City) -> None:
    now = timezone.now()
    case_in(State.CLOSED, city, now)
    case_in(State.DISPATCHED, city, now)
    case_in(State.ANSWERED, city, now, nature="inquiry")
    received(now)
    received(now - 9 * today.DAY)
    late = case_in(State.SIGNED, city, now - 9 * today.DAY)
    Case.objects.filter(pk=late.pk).update(due_at=now - today.DAY, urgency="critical")
    who = client(city, "duty_officer")
    page = who.get("/overview/").content.decode()
    found = numbers(page)
    assert {key: n for key, (n, _address) in found.items()} == {
        "received": 4,
        "answered": 1,
        "dispatched": 2,
        "closed": 1,
        "overdue": 1 + Case.objects.filter(open=True, due_at__lt=now).exclude(pk=late.pk).count(),
        "open": 5,
    }
    for count, address in found.values():
        assert rows(who, address) == count, address
    tables = re.findall(r'<a href="(/board/[^"]*)">([\d,]+)</a></td>', page)
    assert len(tables) == 5  # an hour, and open and overdue of a county and of a township
    for address, count in tables:
        assert rows(who, address.replace("&amp;", "&")) == int(count)
    for address, count in re.findall(r'<a href="([^"]+)">同类共 (\d+) 件', page):
        assert rows(who, address.replace("&amp;", "&")) == int(count)


def test_the_list_says_what_it_is_narrowed_to_and_keeps_it_when_filtered(city: City) -> None:
    received(timezone.now())
    who = client(city, "duty_officer")
    _count, address = numbers(who.get("/overview/").content.decode())["received"]
    page = who.get(address).content.decode()
    asked = parse_qs(urlsplit(address).query)
    assert "收到" in page
    for name in ("happened", "since", "until"):
        assert f'type="hidden" name="{name}" value="{asked[name][0]}"' in page
    assert '<a href="/board/">重新显示全部未办结工单</a>' in page


@pytest.mark.parametrize(
    "query",
    [
        "happened=nonsense",
        "happened=received&since=soon&until=2026-13-40",
        "happened=closed&since=9999-12-31T23:59%2B99:99",
        "happened=received&since=0001-01-01T00:00",
        "urgency=x",
        "since=2026-01-01",
    ],
)
def test_an_address_that_means_nothing_shows_a_page_and_no_error(city: City, query: str) -> None:
    received()
    assert client(city, "dispatcher").get(f"/board/?{query}").status_code == 200


def test_a_reader_of_one_county_sees_its_figures_alone(city: City) -> None:
    received(timezone.now())
    page = client(city, "east_dispatcher").get("/overview/").content.decode()
    assert {n for n, _address in numbers(page).values()} == {0}
    assert "白音苏木" not in page
    assert "长青街道" not in page
    assert "北甸旗" in page


def test_nothing_new_is_said_in_a_few_bytes_and_something_new_with_the_whole(city: City) -> None:
    received(timezone.now())
    who = client(city, "duty_officer")
    first = who.get("/overview/")
    tag = {"if-none-match": first["ETag"], "x-live": "1"}
    same = who.get("/overview/", headers=tag)
    assert (same.status_code, same.content) == (304, b"")
    assert re.fullmatch(r"\d\d:\d\d:\d\d", same["X-As-Of"])
    assert "no-store" in same["Cache-Control"]
    received(timezone.now())
    fresh = who.get("/overview/", headers=tag)
    assert fresh.status_code == 200
    assert fresh["ETag"] != first["ETag"]
    assert numbers(fresh.content.decode())["received"][0] == 2
    assert "<html" not in fresh.content.decode()  # the bar stays, and no message is used up unseen


@pytest.fixture
def _within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes on by a millisecond each time somebody looks, so that no minute ends in between."""
    passed = itertools.count()
    monkeypatch.setattr(timezone, "now", lambda: factories.NOW + dt.timedelta(milliseconds=next(passed)))


@pytest.mark.usefixtures("_within_a_minute")
def test_a_tag_holds_for_one_sight_alone(city: City) -> None:
    """Another reader is not told that nothing is new, nor the same one whose post has ended, though both see none."""
    sights = {name: client(city, name) for name in ("east_dispatcher", "west_dispatcher", "duty_officer")}
    tags = {name: who.get("/overview/")["ETag"] for name, who in sights.items()}
    assert len(set(tags.values())) == len(tags)
    for name, who in sights.items():
        for other, tag in tags.items():
            answer = who.get("/overview/", headers={"if-none-match": tag})
            assert (answer.status_code == 304) == (other == name), (name, other)
    person = city.people["east_dispatcher"]
    second = factories.post(person, "dispatcher", factories.WEST, city.units["west"])
    both = sights["east_dispatcher"].get("/overview/")["ETag"]
    second.valid_to = timezone.localdate()
    second.save()
    ended = sights["east_dispatcher"].get("/overview/", headers={"if-none-match": both})
    assert ended.status_code == 200 and ended["ETag"] == tags["east_dispatcher"]


@pytest.mark.usefixtures("_within_a_minute")
def test_what_happens_out_of_sight_is_nothing_new(city: City) -> None:
    who = client(city, "east_dispatcher")
    first = who.get("/overview/")
    received(timezone.now())
    again = who.get("/overview/", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.get("ETag", "")) == (304, "")
    assert again["X-As-Of"] >= first["X-As-Of"]
    received(timezone.now(), place=factories.SUMU)
    assert who.get("/overview/", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_asking_again_is_cheap_and_the_page_asks_as_much_for_one_case_as_for_a_hundred(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "duty_officer")
    case_in(State.DISPATCHED, city, timezone.now())
    page = who.get("/overview/")

    def asked(**headers: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            who.get("/overview/", headers=headers)
        return len(queries)

    # Who asks (session, person and posts), and whether anything has happened.
    assert asked(**{"if-none-match": page["ETag"]}) <= 8
    received(timezone.now())
    one = asked()
    for _ in range(50):
        received(timezone.now())
    assert asked() == one
    assert one <= 40


def test_neither_page_names_a_person_or_a_title(city: City) -> None:
    received(timezone.now(), title="测试人要求保密的标题", address="钢铁大街18号3号楼201室")
    case_in(State.RETURN_REQ, city, timezone.now())
    for page in PAGES:
        shown = client(city, "supervisor").get(page).content.decode()
        for word in ("测试人", "138", "201室", "handler", "dispatcher"):
            assert word not in shown, (page, word)


def test_what_needs_a_decision_has_a_button_that_decides_it(city: City) -> None:
    now = timezone.now()
    objection = case_in(State.RETURN_REQ, city, now)
    critical = case_in(State.SIGNED, city, now)
    Case.objects.filter(pk=critical.pk).update(urgency="critical", due_at=now - today.DAY)
    who = client(city, "supervisor")
    page = who.get("/overview/").content.decode()
    needs = page[page.index('class="needs"') :]
    assert needs.index("特急工单超期") < needs.index("派单异议待裁定")
    buttons = re.findall(r'<a class="button" href="([^"]+)">(督办|裁定异议)', needs)
    assert buttons == [
        (f"/cases/{critical.number}/do/supervise/", "督办"),
        (f"/cases/{objection.number}/", "裁定异议"),
    ]
    for address, _words in buttons:
        assert who.get(address).status_code == 200
    # Who may not supervise may look.
    seen = client(city, "dispatcher").get("/overview/").content.decode()
    assert f'<a class="button second" href="/cases/{critical.number}/">打开工单' in seen
