"""System, security and audit administrators are three people with three faces: each finds their own parts, and is
turned away from those of the two others (GB/T 22239-2019 8.1.4)."""

from __future__ import annotations

import pytest
from django.test import Client

from lucheng.channels.administration.doors import FACES, PARTS
from lucheng.core.organisation.capabilities import SEPARATED
from tests import factories
from tests.factories import City

pytestmark = pytest.mark.django_db

#: By the capability that makes one an administrator: who has it, what greets them, the pages that are theirs, and what
#: they may send.
THREE = {
    "organisation.edit": (
        "administrator",
        "系统管理",
        ["/admin/units/", "/admin/people/", "/admin/roles/", "/admin/jobs/", "/admin/jobs/failed/"],
        [
            "/admin/units/add/",
            "/admin/people/add/",
            "/admin/jobs/messages/retry/",
            "/admin/jobs/clocks/retry/",
        ],
    ),
    "privacy.audit": (
        "officer",
        "安全管理",
        [
            "/admin/requests/",
            "/admin/retention/",
            "/admin/retention/holds/",
            "/admin/copies/",
            "/admin/looks/",
        ],
        ["/admin/retention/holds/", "/admin/copies/", "/admin/requests/new/"],
    ),
    "ledger.verify": (
        "auditor",
        "审计管理",
        ["/admin/acts/", "/admin/sign-ins/", "/admin/verifications/"],
        ["/admin/verifications/"],
    ),
}


@pytest.fixture
def three(city: City) -> dict[str, Client]:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    return {capability: factories.client(city, who) for capability, (who, *_rest) in THREE.items()}


def test_there_is_a_face_for_each_right_that_is_kept_apart_and_no_page_for_two(city: City) -> None:
    assert set(SEPARATED) == {face.capability for face in FACES} == THREE.keys()
    for part in PARTS:
        assert len({*part.capabilities} & {*SEPARATED}) <= 1, part.page


@pytest.mark.parametrize("mine", THREE)
def test_each_is_greeted_as_what_they_are_and_offered_their_own_parts(
    three: dict[str, Client], mine: str
) -> None:
    _who, title, pages, _sent = THREE[mine]
    front = three[mine].get("/admin/")
    page = front.content.decode()
    assert front.status_code == 200 and f"<h1>{title}</h1>" in page
    for other, (_other, other_title, others, _others_sent) in THREE.items():
        if other != mine:
            assert f"<h1>{other_title}" not in page
            assert not [address for address in others if f'href="{address}"' in page]
    firsts = [address for address in pages if address.count("/") == 3]
    assert [address for address in firsts if f'href="{address}"' not in page] == []


@pytest.mark.parametrize("mine", THREE)
def test_each_does_their_own_work_and_is_refused_that_of_the_two_others(
    three: dict[str, Client], mine: str
) -> None:
    for whose, (_who, _title, pages, sent) in THREE.items():
        for address in pages:
            assert three[mine].get(address).status_code == (200 if whose == mine else 403), address
        for address in sent:
            answer = three[mine].post(address)
            assert (answer.status_code == 403) is (whose != mine), address


def test_none_of_them_is_led_to_a_case(three: dict[str, Client], city: City) -> None:
    number = factories.received().number
    for browser in three.values():
        assert browser.get(f"/cases/{number}/").status_code in (403, 404)
        for address in ("/board/", "/desk/", "/unit/"):
            assert browser.get(address).status_code == 403
            assert address not in browser.get("/admin/").content.decode()


def test_whoever_keeps_other_things_is_no_administrator(city: City) -> None:
    page = factories.client(city, "duty_officer").get("/admin/").content.decode()
    assert "<h1>管理</h1>" in page and "派单目录" in page
    assert not any(title in page for _who, title, *_rest in THREE.values())
