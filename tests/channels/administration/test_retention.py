"""The data-protection officer looks at what is proposed, holds back, approves; all others read what became of it."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from typer.testing import CliRunner

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger import verify
from lucheng.core.privacy import retention
from lucheng.core.privacy.cli import privacy
from lucheng.core.privacy.models import RetentionBatch, RetentionHold
from tests import factories
from tests.channels.administration.counting import queries
from tests.factories import NOW, City, case_in

pytestmark = pytest.mark.django_db

#: So long ago that everything is due by the time these tests run.
THEN = NOW - dt.timedelta(days=4000)


@pytest.fixture(autouse=True)
def _own_record(settings: Any, tmp_path: Path) -> None:
    settings.DESTROYED = tmp_path / "destroyed.jsonl"


@pytest.fixture
def city(db: None) -> City:
    made = factories.city()
    made.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    retention.load(now=NOW)
    return made


@pytest.fixture
def officer(city: City) -> Client:
    client = factories.client(city, "officer")
    client.cookies["django_language"] = "en"
    return client


def closed(city: City, **changes: Any) -> Case:
    case = case_in(State.CLOSED, city, **changes)
    Case.objects.filter(pk=case.pk).update(closed_at=THEN)
    return case


def text(response: Any) -> str:
    return str(response.content.decode())


def batch() -> RetentionBatch:
    return RetentionBatch.objects.get()


def test_a_batch_is_proposed_looked_at_held_in_part_approved_and_destroyed(
    city: City, officer: Client
) -> None:
    kept, gone = closed(city), closed(city)
    retention.propose(NOW)
    front = text(officer.get("/admin/retention/"))
    assert "4 things wait for your approval" in front
    address = f"/admin/retention/{batch().pk}/"
    page = text(officer.get(address))
    assert kept.number in page and gone.number in page and "Approve: destroy 4 things" in page
    assert "路灯" not in page, "no word of a case"
    item = batch().items.filter(number=kept.number).first()
    assert item is not None
    answer = officer.post(
        f"{address}hold/", {"item": [str(item.pk)], "reason": "行政诉讼(2026)9号"}, follow=True
    )
    assert "1 order is held." in text(answer) and "Approve: destroy 2 things" in text(answer)
    late = officer.post(f"{address}approve/", {"seen": "4"})
    assert late.status_code == 409 and "look at it again" in text(late)
    assert batch().state == "proposed"
    answer = officer.post(f"{address}approve/", {"seen": "2"}, follow=True)
    assert "The worker destroys it" in text(answer)
    while retention.carry_out(NOW):
        pass
    assert "carried out" in text(officer.get(address))
    assert Case.objects.get(pk=kept.pk).content and not Case.objects.get(pk=gone.pk).content


def test_a_hold_is_placed_by_number_and_lifted_with_reasons(city: City, officer: Client) -> None:
    case = closed(city)
    wrong = officer.post("/admin/retention/holds/", {"number": "1", "reason": "行政诉讼期间"})
    assert wrong.status_code == 422 and "There is no order" in text(wrong)
    wrong = officer.post("/admin/retention/holds/", {"number": case.number, "reason": "诉"})
    assert wrong.status_code == 422 and case.number in text(wrong), "nothing typed is lost"
    answer = officer.post(
        "/admin/retention/holds/", {"number": case.number, "reason": "行政诉讼期间"}, follow=True
    )
    assert "held back" in text(answer)
    again = officer.post("/admin/retention/holds/", {"number": case.number, "reason": "行政诉讼期间"})
    assert again.status_code == 422 and "already" in text(again)
    hold = RetentionHold.objects.get()
    answer = officer.post(f"/admin/retention/holds/{hold.pk}/lift/", {"reason": "诉"}, follow=True)
    assert "at least 4 characters" in text(answer)
    officer.post(f"/admin/retention/holds/{hold.pk}/lift/", {"reason": "已经结案"})
    hold.refresh_from_db()
    assert hold.lifted_by == city.people["officer"]


def test_nothing_chosen_or_no_reason_is_said_and_nothing_is_held(city: City, officer: Client) -> None:
    closed(city)
    retention.propose(NOW)
    address = f"/admin/retention/{batch().pk}/hold/"
    for sent, words in (
        ({"reason": "行政诉讼期间"}, "Choose at least one order"),
        ({"reason": "诉", "item": ["1"]}, "at least 4 characters"),
        ({"reason": "行政诉讼期间", "item": ["x", "9" * 30]}, "Choose at least one order"),
    ):
        answer = officer.post(address, sent)
        assert answer.status_code == 422 and words in text(answer)
    assert not RetentionHold.objects.exists()


def test_only_the_officer_gets_in_and_the_officer_sees_no_case(city: City, officer: Client) -> None:
    case = closed(city)
    retention.propose(NOW)
    paths = ["", "holds/", f"{batch().pk}/"]
    posts = [f"{batch().pk}/approve/", f"{batch().pk}/hold/", "holds/1/lift/"]
    for who in ("administrator", "auditor", "duty_officer", "supervisor", "handler"):
        client = factories.client(city, who)
        assert {client.get(f"/admin/retention/{p}").status_code for p in paths} == {403}
        assert {client.post(f"/admin/retention/{p}").status_code for p in posts} == {403}
    assert Client().get("/admin/retention/").status_code == 302
    assert officer.get(f"/cases/{case.number}/").status_code == 404
    assert batch().state == "proposed"


def test_a_page_asks_the_same_for_one_order_and_for_many(city: City, officer: Client) -> None:
    closed(city)
    retention.propose(NOW)
    address = f"/admin/retention/{batch().pk}/"
    few = queries(officer, address), queries(officer, "/admin/retention/")
    first = batch().items.first()
    assert first is not None
    for n in range(12):
        case = closed(city)
        first.pk, first.case_id, first.number = None, case.pk, f"{n}"
        first.save(force_insert=True)
    many = queries(officer, address), queries(officer, "/admin/retention/")
    assert few == many


def destroyed(city: City) -> Case:
    case = closed(city)
    retention.propose(NOW)
    retention.approve(batch().pk, person=city.people["officer"], seen=2, now=NOW)
    retention.carry_out(NOW)
    return Case.objects.get(pk=case.pk)


def test_case_page_list_sheet_follow_page_and_interface_say_what_was_destroyed(city: City) -> None:
    case = destroyed(city)
    staff = factories.client(city, "duty_officer")
    page = text(staff.get(f"/cases/{case.number}/"))
    assert "2026年3月2日已销毁：文字、地址和位置" in page and "第1版" in page and "国家档案局令第8号" in page
    assert "（已按规定销毁）" in page and "按规定销毁" in page
    assert "已销毁：姓名和联系方式" in text(staff.get(f"{reverse('sheet', args=[case.number])}"))
    assert "（已按规定销毁）" in text(staff.get(f"/board/?number={case.number}&all=1"))
    followed = text(Client(headers={"accept-language": "zh-CN"}).get(f"/t/{codes.written(case.code)}/"))
    assert "2026年3月2日已销毁：姓名和联系方式" in followed and "officer" not in followed
    headers = {"authorization": f"Bearer {factories.key(city.people['duty_officer'])}"}
    detail = json.loads(staff.get(f"/api/v1/cases/{case.number}", headers=headers).content)
    tracked = json.loads(Client().get(f"/api/v1/track/{codes.written(case.code)}").content)
    assert detail["destroyed"] == tracked["destroyed"]
    assert {d["what"] for d in detail["destroyed"]} == {"contact", "texts"}
    assert not list(verify.verify(verify.Tally()))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(privacy, ["retention", *words])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def console_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "here")  # the tests' own database runs already
    monkeypatch.setenv("COLUMNS", "200")


def test_the_commands_load_list_propose_run_and_do_it_again(
    city: City, console_here: None, tmp_path: Path, settings: Any
) -> None:
    closed(city)
    assert run("load") == (0, "these rules are in force already")
    rules = tmp_path / "own.toml"
    rules.write_text(
        '[[rule]]\nkind = "command_centre.order"\nwhat = "contact"\nmonths = 12\nbasis = "本市规定"\n',
        "utf-8",
    )
    assert run("load", str(rules))[0] == 1
    assert run("load", str(rules), "--by", "nobody")[0] == 1
    assert run("load", str(rules), "--by", "duty_officer", "--note", "市里已定") == (
        0,
        "edition 2 is in force, 1 rules",
    )
    assert run("propose")[1].startswith("1 things are proposed")
    assert run("propose")[1] == "a batch waits for approval already"
    assert run("run")[1] == "0 handled"
    retention.approve(batch().pk, person=city.people["officer"], seen=1, now=NOW)
    assert run("run")[1] == "1 handled"
    code, shown = run("list")
    assert code == 0 and "edition 2" in shown and "officer" in shown
    assert run("again") == (0, "1 lines: 0 destroyed again, 1 gone already, 0 of orders that are not here")


COPY = "/admin/copies/"


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_made_for_who_brings_code_and_number_and_stands_in_the_ledger(
    city: City, officer: Client
) -> None:
    case = factories.received(phone="13800132210", name="李测试")
    sent = {"code": codes.written(case.code), "phone": "138 0013 2210", "reason": "本人到场申请复制"}
    for changed, words in (
        ({"phone": "13900132211"}, "do not belong together"),
        ({"code": "LC-0000-0000-0000"}, "do not belong together"),
        ({"phone": "x"}, "not a telephone number"),
        ({"reason": "无"}, "at least 4 characters"),
    ):
        answer = officer.post(COPY, sent | changed)
        assert answer.status_code == 422 and words in text(answer)
    assert not case.events.filter(action="exported").exists()
    answer = officer.post(COPY, sent)
    assert answer["Content-Type"] == "application/zip" and "no-store" in answer["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as made:  # type: ignore[attr-defined]
        (said,) = json.loads(made.read("data.json"))["cases"]
    assert said["number"] == case.number and said["requester"]["name"] == "李测试"
    assert case.events.get(action="exported").actor == city.people["officer"]
    for who in ("administrator", "duty_officer"):
        assert factories.client(city, who).post(COPY, sent).status_code == 403
