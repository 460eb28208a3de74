"""The officer's pages for what people ask about their own data."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lucheng.channels.api import auth
from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.privacy import rights
from lucheng.core.privacy.cases import REQUEST
from lucheng.core.privacy.models import Reveal, Tombstone
from tests import factories
from tests.channels.administration.counting import queries
from tests.factories import NOW, City, case_in, received

pytestmark = pytest.mark.django_db

LIST = "/admin/requests/"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS, settings.DESTROYED = tmp_path / "attachments", tmp_path / "destroyed"


@pytest.fixture
def city(db: None) -> City:
    made = factories.city()
    made.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    return made


@pytest.fixture
def officer(city: City) -> Client:
    return factories.client(city, "officer")


def asked(order: Case, right: str = "delete", words: str = "请删除我的电话", key: str = "k") -> Case:
    order = Case.objects.select_related("contact").get(pk=order.pk)
    made = rights.ask([order], right, words, address="10.0.0.1", language="zh", now=NOW, key=key)
    return Case.objects.get(pk=made.id)


def test_the_officer_finds_requests_by_due_time_and_nothing_of_what_orders_say(
    city: City, officer: Client
) -> None:
    order = case_in(State.CLOSED, city, content="鹿苑小区路灯不亮")
    request = asked(order)
    assert request.number in officer.get(LIST).content.decode()
    page = officer.get(f"{LIST}{request.number}/").content.decode()
    assert "请删除我的电话" in page and order.number in page and "与本请求的电话号码相同" in page
    assert "路灯" not in page and "13800000000" not in page and "测试人" not in page
    assert "1 件待答复" in officer.get("/admin/").content.decode()


def test_the_list_asks_as_much_for_one_row_as_for_thirty(city: City, officer: Client) -> None:
    asked(received(), key="0")
    officer.get(LIST)
    one = queries(officer, LIST)
    for n in range(1, 30):
        asked(received(phone=f"138000001{n:02}"), key=str(n))
    assert queries(officer, LIST) == one


@pytest.mark.parametrize("who", ["operator", "duty_officer", "administrator", "auditor", "handler"])
def test_nobody_else_opens_a_request(city: City, who: str) -> None:
    request = asked(received())
    client = factories.client(city, who)
    for address in (LIST, f"{LIST}new/", f"{LIST}{request.number}/"):
        assert client.get(address).status_code == 403
    for step in ("step", "copy", "delete", "correct", "contact"):
        assert client.post(f"{LIST}{request.number}/{step}/").status_code == 403
    found = client.get(f"/cases/{request.number}/")
    assert found.status_code in (403, 404)


def test_what_is_asked_is_done_and_answered(city: City, officer: Client) -> None:
    order = case_in(State.CLOSED, city)
    request = asked(order)
    address = f"{LIST}{request.number}/"
    empty = officer.post(f"{address}delete/", {"order": order.number})
    assert empty.status_code == 422 and "请选择要销毁的内容" in empty.content.decode()
    officer.post(f"{address}delete/", {"order": order.number, "what": ["contact"]})
    assert Tombstone.objects.get().approved_by == city.people["officer"]
    wrong = officer.post(f"{address}step/", {"action": "grant", "version": request.version, "answer": " "})
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.content.decode()
    stale = officer.post(f"{address}step/", {"action": "grant", "version": 99, "answer": "已删除"})
    assert stale.status_code == 409
    request.refresh_from_db()
    done = officer.post(
        f"{address}step/", {"action": "grant", "version": request.version, "answer": "已删除您的电话。"}
    )
    assert done.status_code == 302
    request.refresh_from_db()
    assert request.state == State.CLOSED
    assert request.number not in officer.get(LIST).content.decode()
    assert request.number in officer.get(f"{LIST}?all=1").content.decode()
    resident = Client(headers={"accept-language": "zh-CN"})
    resident.post("/t/", {"code": codes.written(request.code), "digits": factories.DIGITS})
    told = resident.get(f"/t/{codes.written(request.code)}/").content.decode()
    assert "已按要求办理" in told and "已删除您的电话。" in told


def test_a_look_at_who_asks_has_a_reason_and_a_trace(city: City, officer: Client) -> None:
    request = asked(received())
    address = f"{LIST}{request.number}/contact/"
    assert officer.post(address, {"reason": ""}).status_code == 422
    shown = officer.post(address, {"reason": "回电核实身份"}).content.decode()
    assert "13800000000" in shown and "测试人" in shown
    assert Reveal.objects.get().number == request.number


def test_a_contact_is_corrected_without_being_shown(city: City, officer: Client) -> None:
    order = received()
    request = asked(order, "correct", "号码错了")
    address = f"{LIST}{request.number}/correct/"
    wrong = officer.post(address, {"order": order.number, "phone": "一三九"})
    assert wrong.status_code == 422 and "一三九" not in wrong.content.decode()
    assert officer.post(address, {"order": order.number, "phone": "13900000009"}).status_code == 302
    order = Case.objects.select_related("contact").get(pk=order.pk)
    assert order.contact.phone_mask == "139****0009"


@pytest.mark.django_db(transaction=True)
def test_the_file_holds_all_that_is_held_of_the_orders(city: City, officer: Client) -> None:
    request = asked(received(content="我的一件事"), "copy", "")
    answer = officer.post(f"{LIST}{request.number}/copy/")
    whole = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        data = found.read("data.json").decode()
    assert "我的一件事" in data and "13800000000" in data


def test_a_request_by_telephone_is_taken_down_once_and_its_code_told(city: City, officer: Client) -> None:
    order = received()
    sent = {
        "right": "access",
        "about": f"{order.number}、",
        "channel": "phone",
        "phone": "13800000000",
        "key": "1",
    }
    wrong = officer.post(f"{LIST}new/", {**sent, "about": "20990101999999"})
    assert wrong.status_code == 422 and "20990101999999" in wrong.content.decode()
    for _twice in range(2):
        answer = officer.post(f"{LIST}new/", sent)
        assert answer.status_code == 302
    request = Case.objects.get(kind=REQUEST.code)
    assert codes.written(request.code) in officer.get(answer["Location"]).content.decode()


def test_programs_of_the_officer_list_look_and_answer(city: City) -> None:
    order = received(content="鹿苑小区路灯不亮")
    request = asked(order)
    auth.forget()
    key = factories.key(city.people["officer"])
    api = Client(headers={"authorization": f"Bearer {key}", "accept-language": "zh-CN"})
    listed = api.get("/api/v1/cases").json()["cases"]
    assert [c["number"] for c in listed] == [request.number]
    assert api.get(f"/api/v1/cases/{order.number}").status_code == 404
    one = api.get(f"/api/v1/cases/{request.number}").json()
    assert one["fields"]["right"] == "delete"
    done = api.post(
        f"/api/v1/cases/{request.number}/actions/grant",
        {"answer": "已删除"},
        content_type="application/json",
        headers={"if-match": f'"{one["version"]}"'},
    )
    assert done.status_code == 200, done.content.decode()
