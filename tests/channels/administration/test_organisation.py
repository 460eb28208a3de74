"""The pages on which roles, units, people and posts are kept: by administrators, never for themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.organisation import roles
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


@pytest.mark.parametrize(
    "page", ["roles/", "roles/handler/", "units/", "people/", "people/add/", "people/1/"]
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
        "/admin/roles/lawyer/",
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
    pages = ("roles/", "units/", "units/?q=o", "people/", "people/?q=城管", f"people/{li.pk}/")
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
