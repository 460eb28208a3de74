"""One's own data: whoever may see a case whole may ask about it and have a copy; whoever may not, may not."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case
from lucheng.core.ledger.models import Event
from lucheng.core.privacy import contacts
from lucheng.core.privacy.cases import REQUEST
from tests import factories

pytestmark = pytest.mark.django_db

DELETE = {"right": "delete", "words": "我搬走了", "key": "1"}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS = tmp_path / "attachments"


@pytest.fixture
def client(city: factories.City) -> Client:
    return Client(headers={"accept-language": "zh-CN"})


def typed(client: Client, case: Case) -> str:
    """The case is opened with its digits; its code as written."""
    code = codes.written(case.code)
    answer = client.post("/t/", {"code": code, "digits": factories.DIGITS})
    assert answer.status_code == 302
    return code


def asked() -> Case:
    return Case.objects.select_related("contact").get(kind=REQUEST.code)


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_who_has_opened_nothing_is_shown_the_two_ways_to_do_so(client: Client) -> None:
    case = factories.received()
    page = text(client.get("/mine/data/"))
    assert 'href="/mine/"' in page and 'href="/t/"' in page
    code = codes.written(case.code)
    assert client.get(f"/t/{code}/data/")["Location"] == f"/t/{code}/"
    assert client.post(f"/t/{code}/data/", {**DELETE, "cases": [code]})["Location"] == f"/t/{code}/"
    assert client.post(f"/t/{code}/copy/")["Location"] == f"/t/{code}/"
    assert not Event.objects.filter(action="exported").exists()
    assert not Case.objects.filter(kind=REQUEST.code).exists()


def test_what_is_asked_about_an_opened_case_becomes_a_request_with_a_page_of_its_own(client: Client) -> None:
    case = factories.received(content="鹿苑小区路灯不亮")
    code = typed(client, case)
    page = text(client.get(f"/t/{code}/data/"))
    assert "鹿苑小区路灯不亮" in page and 'name="right"' in page
    answer = client.post(f"/t/{code}/data/", {**DELETE, "cases": [code]})
    request = asked()
    assert answer["Location"] == f"/t/{codes.written(request.code)}/?new=1"
    assert request.fields == {"right": "delete", "about": [case.number], "shown": "code"}
    assert request.content == "我搬走了"
    assert contacts.ends_in(request.contact, factories.DIGITS)
    told = text(client.get(answer["Location"]))
    assert "已收到，正在核实办理" in told and "在本页答复您" in told
    assert "我的个人信息" not in told, "no request about a request"
    client.post(f"/t/{code}/data/", {**DELETE, "cases": [code]})
    assert Case.objects.filter(kind=REQUEST.code).count() == 1


def test_a_case_without_a_number_is_asked_about_by_its_code_alone(client: Client) -> None:
    case = factories.received(phone="", name="", anonymous=True, channel="web")
    code = codes.written(case.code)
    client.post(f"/t/{code}/data/", {**DELETE, "cases": [code]})
    assert asked().fields["about"] == [case.number]
    assert asked().anonymous and not hasattr(asked(), "contact")


def test_no_case_can_be_added_that_is_not_open_here(client: Client) -> None:
    case, other = factories.received(), factories.received(phone="13900000001")
    code = typed(client, case)
    answer = client.post(f"/t/{code}/data/", {**DELETE, "cases": [code, codes.written(other.code)]})
    assert answer.status_code == 422
    assert codes.written(other.code) not in text(client.get(f"/t/{code}/data/"))
    assert not Case.objects.filter(kind=REQUEST.code).exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"right": ""}, "请选择您的要求"),
        ({"right": "score"}, "请选择您的要求|选择一个有效的选项"),
        ({"cases": []}, "请至少选择一件诉求"),
        ({"right": "correct", "words": ""}, "请说明要更正什么"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    client: Client, changed: dict[str, Any], says: str
) -> None:
    code = typed(client, factories.received())
    answer = client.post(f"/t/{code}/data/", {**DELETE, "cases": [code], **changed})
    assert answer.status_code == 422
    assert any(words in text(answer) for words in says.split("|"))
    assert changed.get("words", "我搬走了") in text(answer)


def test_a_number_in_the_words_is_offered_to_be_covered(client: Client) -> None:
    code = typed(client, factories.received())
    sent = {**DELETE, "cases": [code], "words": "请删 13812345678"}
    answer = client.post(f"/t/{code}/data/", sent)
    assert answer.status_code == 422 and "13812345678" in text(answer)
    client.post(f"/t/{code}/data/", {**sent, "numbers": "cover"})
    assert "13812345678" not in asked().content


@pytest.mark.django_db(transaction=True)
def test_a_copy_holds_what_the_page_shows_and_nothing_under_seal(client: Client) -> None:
    case = factories.received(content="3号楼2单元501室漏水，打 13812345678", name="测试人")
    code = typed(client, case)
    answer = client.post(f"/t/{code}/copy/")
    assert answer["Content-Type"] == "application/zip"
    whole = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        data = found.read("data.json").decode()
    (told,) = json.loads(data)["cases"]
    assert told["number"] == case.number and "漏水" in told["content"]
    assert told["requester"] == {"name": "", "phone": "138****0000", "address": ""}
    for sealed in ("13800000000", "测试人", "13812345678", "501"):
        assert sealed not in data
    event = Event.objects.get(case=case, action="exported")
    assert (event.actor_id, event.actor_role, event.body) == (None, "requester", {"covered": True})
