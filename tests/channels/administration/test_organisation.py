"""The pages on which roles, units, people and posts are kept: by administrators, never for themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.organisation import roles
from lucheng.core.organisation import units as register
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person, Post, Role, Unit
from tests.channels.administration.counting import queries
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db


@pytest.fixture
def units() -> dict[str, Unit]:
    roles.load()
    return city.lay_out()


@pytest.fixture
def administrator(units: dict[str, Unit]) -> Person:
    person = Person.objects.create_user("admin", None, name="管理员")
    Post.objects.create(person=person, role_id="administrator", place="1502", valid_from=city.LONG_AGO)
    return person


@pytest.fixture
def browser(client: Client, administrator: Person) -> Client:
    client.force_login(administrator)
    client.cookies["django_language"] = "en"
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


NEW_UNIT = {
    "code": "parks",
    "name": "园林局",
    "kind": "department",
    "place": "钢铁区",
    "parent": "钢铁区城管局",
}


@pytest.mark.parametrize(
    "page",
    [
        "roles/",
        "roles/handler/",
        "units/",
        "units/add/",
        "units/1/",
        "people/",
        "people/add/",
        "people/1/",
        "jobs/",
        "jobs/failed/",
    ],
)
def test_every_page_asks_for_the_capability(client: Client, units: dict[str, Unit], page: str) -> None:
    assert client.get(f"/admin/{page}").status_code == 302
    client.force_login(city.officer("reader", "case.view", "catalogue.edit", "calendar.edit"))
    assert client.get(f"/admin/{page}").status_code == 403


def test_every_change_asks_for_the_capability(client: Client, units: dict[str, Unit]) -> None:
    reader = city.officer("reader", "case.view")
    post = Post.objects.get(person=reader)
    client.force_login(reader)
    for page, data in {
        "roles/handler/": {"name": "x", "reach": "none"},
        "people/add/": {"username": "y", "name": "y", "password": "correct horse battery"},
        f"people/{reader.pk}/": {
            "role": "duty_officer",
            "place": "1502",
            "since": "2026-01-01",
            "basis": "full",
        },
        f"people/{reader.pk}/posts/{post.pk}/end/": {},
        f"people/{reader.pk}/lock/": {},
        f"people/{reader.pk}/password/": {},
        "units/add/": NEW_UNIT,
        f"units/{units['urban'].pk}/": NEW_UNIT,
        f"units/{units['urban'].pk}/close/": {"sure": "on"},
        "jobs/messages/retry/": {},
        "jobs/clocks/retry/": {},
    }.items():
        assert client.post(f"/admin/{page}", data).status_code == 403
    assert Person.objects.count() == 1 and Post.objects.get().valid_to is None


def test_somebody_signed_in_without_any_post_is_told(client: Client, units: dict[str, Unit]) -> None:
    client.force_login(Person.objects.create_user("new", None, name="新人"))
    assert client.get("/admin/people/").status_code == 403


def test_roles_are_listed_with_what_they_allow(browser: Client) -> None:
    page = text(browser.get("/admin/roles/"))
    assert "系统管理员" in page and "edit units, people, posts and roles" in page


def test_a_role_is_changed_and_its_posts_follow(browser: Client) -> None:
    li = Person.objects.create_user("li", None, name="李")
    Post.objects.create(person=li, role_id="lawyer", place="1502", valid_from=city.LONG_AGO)
    response = browser.post(
        f"/admin/roles/lawyer/?seen={roles.stamp(Role.objects.get(code='lawyer'))}",
        {"name": "值班律师", "name_en": "Lawyer on duty", "reach": "place", "capabilities": ["case.view"]},
        follow=True,
    )
    assert "值班律师" in text(response)
    scope = scope_of(li)
    assert scope.can("case.view") and not scope.can("case.handle")


@pytest.mark.parametrize(
    "capabilities", [["organisation.edit", "case.view"], ["ledger.verify", "privacy.audit"], ["case.fly"]]
)
def test_a_role_that_mixes_what_must_be_apart_is_refused(browser: Client, capabilities: list[str]) -> None:
    before = Role.objects.get(code="lawyer").capabilities
    response = browser.post(
        "/admin/roles/lawyer/", {"name": "律师", "reach": "place", "capabilities": capabilities}
    )
    assert response.status_code == 422 and "error-list" in text(response)
    assert Role.objects.get(code="lawyer").capabilities == before


def test_roles_concern_the_whole_city(browser: Client, administrator: Person) -> None:
    administrator.posts.update(place="150203")
    assert browser.get("/admin/roles/").status_code == 200
    assert browser.get("/admin/roles/lawyer/").status_code == 403
    assert browser.post("/admin/roles/lawyer/", {"name": "x", "reach": "none"}).status_code == 403


def test_an_unknown_role_unit_or_person_is_not_found(browser: Client) -> None:
    for page in ("roles/king/", "units/?under=nobody", "people/999999/"):
        assert browser.get(f"/admin/{page}").status_code == 404


def test_units_are_shown_level_by_level_and_found_by_name(browser: Client, units: dict[str, Unit]) -> None:
    bureau = Unit.objects.create(code="bureau", name="市城管局", kind="department", place="1502")
    Unit.objects.filter(code="lighting").update(parent=bureau)
    top = browser.get("/admin/units/")
    assert [u.code for u in top.context["rows"]] == ["bureau", "community", "police", "street", "urban"]
    below = browser.get("/admin/units/?under=bureau")
    assert [u.code for u in below.context["rows"]] == ["lighting"]
    assert "市城管局" in text(below)
    found = browser.get("/admin/units/?q=照明")
    assert [u.code for u in found.context["rows"]] == ["lighting"]
    assert browser.get("/admin/units/?q=nothing").context["rows"] == []


def test_people_are_found_by_name_user_name_unit_and_role(browser: Client, units: dict[str, Unit]) -> None:
    li = Person.objects.create_user("li.ming", None, name="李明")
    Post.objects.create(
        person=li, role_id="handler", unit=units["urban"], place="150203", valid_from=city.LONG_AGO
    )
    for words in ("李明", "li.m", "城管", "承办员", "handler"):
        response = browser.get("/admin/people/", {"q": words})
        assert [p.username for p in response.context["rows"]] == ["li.ming"], words
    assert "钢铁区城管局" in text(browser.get("/admin/people/"))
    ended = timezone.localdate() - dt.timedelta(days=1)
    li.posts.update(valid_to=ended)
    assert browser.get("/admin/people/", {"q": "城管"}).context["rows"] == []


def test_a_person_is_added_and_may_sign_in(browser: Client) -> None:
    response = browser.post(
        "/admin/people/add/",
        {"username": "zhao", "name": "赵敏", "password": "correct horse battery"},
        follow=True,
    )
    assert "赵敏 has been added" in text(response)
    assert Person.objects.get(username="zhao").check_password("correct horse battery")


@pytest.mark.parametrize(
    "data",
    [
        {"username": "admin", "name": "赵敏", "password": "correct horse battery"},
        {"username": "zhao", "name": "赵敏", "password": "12345"},
        {"username": "", "name": "", "password": ""},
    ],
)
def test_a_person_that_cannot_be_added_is_refused_at_the_field(browser: Client, data: dict[str, str]) -> None:
    response = browser.post("/admin/people/add/", data)
    assert response.status_code == 422 and Person.objects.count() == 1
    assert "12345" not in text(response)


POST = {"role": "handler", "place": "钢铁区", "unit": "钢铁区城管局", "since": "2026-01-01", "basis": "full"}


def test_a_post_is_given_by_names_and_ended(browser: Client, units: dict[str, Unit]) -> None:
    li = Person.objects.create_user("li", None, name="李")
    browser.post(f"/admin/people/{li.pk}/", POST)
    post = Post.objects.get(person=li)
    assert (post.role_id, post.place, post.unit) == ("handler", "150203", units["urban"])
    assert scope_of(li).can("case.handle")
    browser.post(f"/admin/people/{li.pk}/posts/{post.pk}/end/")
    assert not scope_of(li).can("case.handle")
    page = text(browser.get(f"/admin/people/{li.pk}/"))
    assert "钢铁区城管局" in page and "End today" not in page
    assert browser.post(f"/admin/people/{li.pk}/posts/{post.pk}/end/").status_code == 409


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"place": "150299"}, "no division or grid"),
        ({"place": "无此地"}, "No place is called"),
        ({"unit": ""}, "name the unit"),
        ({"unit": "没有"}, "no unit"),
        ({"since": "x"}, "error-list"),
        ({"until": "2025-12-31"}, "end after it begins"),
        ({"role": "king"}, "error-list"),
    ],
)
def test_a_post_that_cannot_be_given_is_refused_at_the_field(
    browser: Client, change: dict[str, str], words: str
) -> None:
    li = Person.objects.create_user("li", None, name="李")
    response = browser.post(f"/admin/people/{li.pk}/", POST | change)
    assert response.status_code == 422 and words in text(response)
    assert not li.posts.exists()


def test_the_same_post_given_twice_is_given_once(browser: Client) -> None:
    li = Person.objects.create_user("li", None, name="李")
    assert browser.post(f"/admin/people/{li.pk}/", POST).status_code == 302
    response = browser.post(f"/admin/people/{li.pk}/", POST)
    assert response.status_code == 422 and "hold this post already" in text(response)
    assert li.posts.count() == 1


@pytest.mark.parametrize(
    "page",
    ["units/?q=%00", "units/?under=%00", "people/?q=%00%07", "people/99999999999999999999/", "roles/x/"],
)
def test_an_address_that_means_nothing_is_no_fault_of_ours(browser: Client, page: str) -> None:
    assert browser.get(f"/admin/{page}").status_code in (200, 404)


def test_nobody_gives_a_post_to_themselves_or_locks_themselves(
    browser: Client, administrator: Person
) -> None:
    assert browser.post(f"/admin/people/{administrator.pk}/", POST).status_code == 403
    assert browser.post(f"/admin/people/{administrator.pk}/lock/").status_code == 403
    administrator.refresh_from_db()
    assert administrator.posts.count() == 1 and administrator.is_active


def test_an_administrator_of_a_county_gives_and_ends_posts_in_the_county_only(
    browser: Client, administrator: Person
) -> None:
    administrator.posts.update(place="150203")
    li = Person.objects.create_user("li", None, name="李")
    outside = Post.objects.create(person=li, role_id="operator", place="1502", valid_from=city.LONG_AGO)
    assert browser.post(f"/admin/people/{li.pk}/", POST | {"place": "1502"}).status_code == 422
    assert browser.post(f"/admin/people/{li.pk}/posts/{outside.pk}/end/").status_code == 403
    assert browser.post(f"/admin/people/{li.pk}/lock/").status_code == 403
    assert browser.post(f"/admin/people/{li.pk}/", POST).status_code == 302
    assert sorted(p.place for p in li.posts.all()) == ["1502", "150203"]


def test_a_post_of_one_person_is_not_ended_on_the_page_of_another(browser: Client) -> None:
    li, wang = (Person.objects.create_user(u, None, name=u) for u in ("li", "wang"))
    post = Post.objects.create(person=li, role_id="operator", place="1502", valid_from=city.LONG_AGO)
    assert browser.post(f"/admin/people/{wang.pk}/posts/{post.pk}/end/").status_code == 404


def test_an_account_is_locked_at_once_and_unlocked(browser: Client, client: Client) -> None:
    li = city.officer("li", "case.view")
    other = Client()
    other.force_login(li)
    assert other.get("/admin/people/").status_code == 403
    browser.post(f"/admin/people/{li.pk}/lock/")
    assert other.get("/admin/people/").status_code == 302
    assert "locked" in text(browser.get("/admin/people/"))
    browser.post(f"/admin/people/{li.pk}/lock/")
    li.refresh_from_db()
    assert li.is_active


def test_lists_ask_the_same_number_of_queries_for_one_row_and_for_a_hundred(
    browser: Client, units: dict[str, Unit]
) -> None:
    li = Person.objects.create_user("li", None, name="李")
    Post.objects.create(
        person=li, role_id="handler", unit=units["urban"], place="150203", valid_from=city.LONG_AGO
    )
    pages = (
        "roles/",
        "roles/handler/",
        "units/",
        "units/?q=o",
        f"units/{units['urban'].pk}/",
        "people/",
        "people/?q=城管",
        "people/?q=钢铁区",
        f"people/{li.pk}/",
    )
    few = {page: queries(browser, f"/admin/{page}") for page in pages}
    for n in range(100):
        Unit.objects.create(code=f"o{n}", name=f"城管所{n}", kind="department", place="150203")
        person = Person.objects.create_user(f"p{n}", None, name=f"人{n}")
        for role in ("handler", "operator"):
            Post.objects.create(
                person=person, role_id=role, unit=units["urban"], place="150203", valid_from=city.LONG_AGO
            )
        Post.objects.create(person=li, role_id="operator", place="150203", valid_from=city.LONG_AGO)
    assert {page: queries(browser, f"/admin/{page}") for page in pages} == few


def test_a_tree_with_one_root_begins_below_it(browser: Client, units: dict[str, Unit]) -> None:
    root = Unit.objects.create(code="gov", name="市政府", kind="government", place="1502")
    Unit.objects.exclude(pk=root.pk).update(parent=root)
    shown = browser.get("/admin/units/")
    assert len(shown.context["rows"]) == len(units) and "市政府" in text(shown)


def test_a_unit_is_added_changed_and_closed(browser: Client, units: dict[str, Unit]) -> None:
    response = browser.post("/admin/units/add/", NEW_UNIT | {"domains": "邻里 [02]、0102"}, follow=True)
    assert "园林局 has been added" in text(response)
    parks = Unit.objects.get(code="parks")
    assert (parks.place, parks.parent, parks.domains) == ("150203", units["urban"], ["02", "0102"])
    address = f"/admin/units/{parks.pk}/"
    page = browser.get(address)
    assert "钢铁区城管局 [urban]" in text(page) and "钢铁区 [150203]" in text(page)
    changed = NEW_UNIT | {"name": "园林绿化局", "parent": "", "phone": "0472-1"}
    browser.post(f"{address}?seen={page.context['seen']}", changed)
    parks.refresh_from_db()
    assert (parks.name, parks.parent, parks.phone, parks.domains) == ("园林绿化局", None, "0472-1", [])
    browser.post(f"{address}close/", {"seen": register.stamp(parks), "sure": "on"})
    parks.refresh_from_db()
    assert not parks.active
    browser.post(f"{address}close/", {"seen": register.stamp(parks)})
    parks.refresh_from_db()
    assert parks.active


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "urban"}, "already"),
        ({"code": "a b"}, "without spaces"),
        ({"name": " "}, "error-list"),
        ({"kind": "castle"}, "error-list"),
        ({"place": "无此地"}, "No place is called"),
        ({"parent": "没有"}, "no unit"),
        ({"domains": "0999"}, "no matter 0999"),
    ],
)
def test_a_unit_that_cannot_be_added_is_refused_at_the_field(
    browser: Client, change: dict[str, str], words: str
) -> None:
    response = browser.post("/admin/units/add/", NEW_UNIT | change)
    assert response.status_code == 422 and words in text(response)
    assert not Unit.objects.filter(name="园林局").exists()


def test_of_two_who_change_one_unit_the_second_is_told_and_loses_nothing(
    browser: Client, units: dict[str, Unit]
) -> None:
    address = f"/admin/units/{units['police'].pk}/"
    seen = browser.get(address).context["seen"]
    said = {"name": "公安一分局", "kind": "police", "place": "150203"}
    assert browser.post(f"{address}?seen={seen}", said).status_code == 302
    late = browser.post(f"{address}?seen={seen}", said | {"name": "公安二分局"})
    assert late.status_code == 409 and "公安二分局" in text(late) and "公安一分局" in text(late)
    assert Unit.objects.get(code="police").name == "公安一分局"
    assert browser.post(f"{address}close/", {"seen": seen, "sure": "on"}).status_code == 409
    assert (
        browser.post(f"{address}?seen={late.context['seen']}", said | {"name": "公安二分局"}).status_code
        == 302
    )


def test_before_a_unit_is_closed_its_orders_people_and_rows_are_counted(
    browser: Client, units: dict[str, Unit]
) -> None:
    city.in_force(city.LAMPS)
    lighting = units["lighting"]
    city.case(1, "010201", "150203", lighting)
    li = Person.objects.create_user("li", None, name="李")
    Post.objects.create(person=li, role_id="handler", unit=lighting, place="1502", valid_from=city.LONG_AGO)
    address = f"/admin/units/{lighting.pk}/"
    page = browser.get(address)
    ties = page.context["ties"]
    assert (ties.orders, ties.assisted, ties.posts, ties.below, ties.rows) == (None, None, 1, 0, 1)
    assert "路灯" not in text(page), "who administers the system reads no case"
    stamp = {"seen": page.context["seen"]}
    assert browser.post(f"{address}close/", stamp).status_code == 422
    assert Unit.objects.get(code="lighting").active
    assert browser.post(f"{address}close/", stamp | {"sure": "on"}).status_code == 302
    assert not Unit.objects.get(code="lighting").active


@pytest.mark.parametrize(("orders", "words"), [(0, "fewer than 5"), (4, "fewer than 5"), (12, "10 or more")])
def test_who_administers_units_is_told_of_their_orders_in_fives(
    browser: Client, units: dict[str, Unit], orders: int, words: str
) -> None:
    """And is asked to be sure whether there are any or not: else one order would be told from none."""
    lighting = units["lighting"]
    for n in range(orders):
        city.case(n + 1, "010201", "150203", lighting)
    address = f"/admin/units/{lighting.pk}/"
    page = browser.get(address)
    assert f'<dd class="figure">{words}</dd>' in text(page)
    assert browser.post(f"{address}close/", {"seen": page.context["seen"]}).status_code == 422
    assert browser.post(f"{address}close/", {"seen": page.context["seen"], "sure": "on"}).status_code == 302


def test_an_administrator_of_a_county_keeps_the_units_of_the_county_only(
    browser: Client, administrator: Person, units: dict[str, Unit]
) -> None:
    administrator.posts.update(place="150203")
    outside, inside = units["lighting"], units["urban"]
    assert browser.post("/admin/units/add/", NEW_UNIT | {"place": "1502"}).status_code == 422
    assert browser.post(f"/admin/units/{outside.pk}/", NEW_UNIT).status_code == 403
    seen = {"seen": register.stamp(outside), "sure": "on"}
    assert browser.post(f"/admin/units/{outside.pk}/close/", seen).status_code == 403
    moved = {"name": inside.name, "kind": inside.kind, "place": "1502"}
    assert browser.post(f"/admin/units/{inside.pk}/?seen={register.stamp(inside)}", moved).status_code == 422
    assert browser.post("/admin/units/add/", NEW_UNIT).status_code == 302


def test_people_are_found_by_place(browser: Client, units: dict[str, Unit]) -> None:
    li = Person.objects.create_user("li", None, name="李")
    Post.objects.create(person=li, role_id="operator", place="150203001", valid_from=city.LONG_AGO)
    for words in ("钢铁区", "150203", "钢铁区 [150203]"):
        found = browser.get("/admin/people/", {"q": words}).context["rows"]
        assert [p.username for p in found] == ["li"], words
    assert browser.get("/admin/people/?locked=1").context["rows"] == []


def test_a_first_password_is_made_shown_once_and_works(browser: Client) -> None:
    response = browser.post("/admin/people/add/", {"username": "zhao", "name": "赵敏", "password": ""})
    assert response["Cache-Control"] == "no-store"
    first = response.context["password"]
    zhao = Person.objects.get(username="zhao")
    assert zhao.check_password(first) and first in text(response)
    assert first not in text(browser.get(f"/admin/people/{zhao.pk}/"))
    signed_in = Client()
    signed_in.force_login(zhao)
    second = browser.post(f"/admin/people/{zhao.pk}/password/").context["password"]
    zhao.refresh_from_db()
    assert second != first and zhao.check_password(second)
    assert signed_in.get("/admin/people/").status_code == 302, "their session has ended"


def test_nobody_resets_their_own_password_and_a_county_nobodys(
    browser: Client, administrator: Person
) -> None:
    assert browser.post(f"/admin/people/{administrator.pk}/password/").status_code == 403
    li = Person.objects.create_user("li", None, name="李")
    administrator.posts.update(place="150203")
    assert browser.post(f"/admin/people/{li.pk}/password/").status_code == 403


def test_a_role_may_not_come_to_mix_what_its_holders_must_hold_apart(browser: Client) -> None:
    li = Person.objects.create_user("li", None, name="李")
    for role in ("border_ranger", "lawyer"):
        Post.objects.create(person=li, role_id=role, place="1502", valid_from=city.LONG_AGO)
    ranger = Role.objects.get(code="border_ranger")
    said = {"name": "护边员", "reach": "none", "capabilities": ["organisation.edit"]}
    response = browser.post(f"/admin/roles/border_ranger/?seen={roles.stamp(ranger)}", said)
    assert response.status_code == 422 and "li" in text(response)
    ranger.refresh_from_db()
    assert "organisation.edit" not in ranger.capabilities


def test_of_two_who_change_one_role_the_second_is_told(browser: Client) -> None:
    seen = browser.get("/admin/roles/lawyer/").context["seen"]
    said = {"name": "律师甲", "reach": "place", "capabilities": ["case.view"]}
    assert browser.post(f"/admin/roles/lawyer/?seen={seen}", said).status_code == 302
    assert browser.post(f"/admin/roles/lawyer/?seen={seen}", said | {"name": "律师乙"}).status_code == 409
    assert Role.objects.get(code="lawyer").name == "律师甲"
