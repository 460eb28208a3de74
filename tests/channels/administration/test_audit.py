"""The audit administrator reads what was done and who signed in, and has the ledger verified."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from lucheng.core.ledger import acts, verifications
from lucheng.core.ledger.models import Act, Verification
from lucheng.core.organisation import people, signing_in
from lucheng.core.organisation.models import Post, SignIn
from tests import factories
from tests.channels.administration.counting import queries
from tests.core.ledger.stories import case_of_a_broken_lamp
from tests.core.ledger.test_verify import tamper
from tests.factories import City

pytestmark = pytest.mark.django_db

PAGES = ("/admin/acts/", "/admin/acts/sheet/", "/admin/sign-ins/", "/admin/verifications/")


@pytest.fixture
def auditor(city: City) -> Client:
    return factories.client(city, "auditor")


def read(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_opens_to_who_audits_the_whole_city_and_to_nobody_else(client: Client, city: City) -> None:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    city.people["district"] = factories.person("district", "auditor", factories.WEST)
    for address in PAGES:
        assert client.get(address).status_code == 302
        for who in ("administrator", "officer", "duty_officer", "district"):
            assert factories.client(city, who).get(address).status_code == 403
    assert factories.client(city, "officer").post(PAGES[3]).status_code == 403
    assert not Verification.objects.exists()


# --- acts -----------------------------------------------------------------------------------------------------------

#: Who does what on which page, and what it is as an act.
DOINGS: list[tuple[str, str, dict[str, str], str]] = [
    (
        "administrator",
        "units/add/",
        {"code": "parks", "name": "园林局", "kind": "department", "place": factories.CITY, "parent": "government"},
        "unit_added",
    ),
    ("administrator", "people/add/", {"username": "li", "name": "李"}, "person_added"),
    (
        "administrator",
        "people/{handler}/",
        {"role": "grid_worker", "place": factories.GRID, "unit": "street", "since": "2026-03-02", "basis": "full"},
        "post_given",
    ),
    ("administrator", "people/{handler}/posts/{post}/end/", {}, "post_ended"),
    ("administrator", "people/{handler}/lock/", {}, "person_locked"),
    ("administrator", "people/{handler}/password/", {}, "password_given"),
    ("administrator", "calendar/2026/", {"day": "2026-08-03", "kind": "off", "name": "那达慕"}, "day_named"),
    (
        "administrator",
        "messages/received/?seen=0",
        {"zh": "已登记，编号{number}，查询码{code}。", "en": "Registered: {number}, code {code}."},
        "message_worded",
    ),
    ("duty_officer", "catalogue/draft/", {"note": "春季"}, "edition_drafted"),
    ("officer", "looks/sheet/", {}, "looks_exported"),
    ("officer", "retention/holds/", {"number": "{case}", "reason": "诉讼中，暂缓"}, "case_held"),
    ("officer", "requests/new/", {"right": "delete", "words": "请删除", "about": "{case}", "channel": "phone",
                                  "name": "测试人", "phone": "13800000000", "key": "k"}, "request_taken_down"),
    ("auditor", "acts/sheet/", {}, "acts_exported"),
    ("auditor", "verifications/", {}, "verification_asked"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "where", "data", "action"), DOINGS, ids=[d[3] for d in DOINGS])
def test_what_is_done_on_a_page_is_an_act_of_whoever_did_it_by_their_post(
    city: City, who: str, where: str, data: dict[str, str], action: str
) -> None:
    city.people["officer"] = factories.person(
        "officer", "data_protection_officer", factories.CITY, city.units["government"]
    )
    handler = city.people["handler"]
    named = {
        "handler": handler.pk,
        "post": Post.objects.get(person=handler).pk,
        "case": factories.received().number,
    }
    browser, address = factories.client(city, who), "/admin/" + where.format(**named)
    before = acts.last()
    if where.endswith("sheet/"):
        answer = browser.get(address)
    else:
        answer = browser.post(
            address, {k: v if "number}" in v else v.format(**named) for k, v in data.items()}
        )
    assert answer.status_code in (200, 302), answer.content.decode()
    made = Act.objects.filter(seq__gt=before.seq if before is not None else 0)
    (act,) = made
    assert (act.action, act.person) == (action, city.people[who])
    post = Post.objects.get(person=city.people[who])
    assert (act.role, act.unit) == (post.role_id, post.unit)
    assert not re.search("13800000000|测试人|诉讼", str(list(made.values())))


def test_acts_are_shown_with_who_what_and_when_and_found(auditor: Client, city: City) -> None:
    with acts.by(city.people["administrator"], "administrator", city.units["government"].pk):
        people.set_active(city.people["handler"], False, by=city.people["administrator"])
    people.add_person("by-command", "命令")
    page = read(auditor, "/admin/acts/")
    for words in (
        "锁定账号",
        "handler",
        "administrator",
        city.units["government"].name,
        "系统运维",
    ):
        assert words in page
    mine = read(auditor, "/admin/acts/?person=administrator&action=person_locked&object=hand")
    assert "人员 handler" in mine and "by-command" not in mine
    assert "by-command" in read(auditor, "/admin/acts/?person=console&action=person_added")
    nothing = read(auditor, "/admin/acts/?object=%22nobody&since=2026-02-30")
    assert "没有符合条件的操作" in nothing and "2026-02-30”不是日期" in nothing
    assert 'value="&quot;nobody"' in nothing
    assert "没有符合条件的操作" in read(auditor, "/admin/acts/?until=2020-01-01")
    assert "锁定账号" in read(auditor, "/admin/acts/?before=abc")


def test_acts_come_a_page_at_a_time_and_each_costs_the_same(auditor: Client, city: City) -> None:
    people.add_person("li", "李")
    few = queries(auditor, "/admin/acts/?action=person_added")
    for n in range(119):
        people.add_person(f"li{n}", "李")
    assert queries(auditor, "/admin/acts/?action=person_added") == few
    page, seen = read(auditor, "/admin/acts/?action=person_added"), 0
    for _ in range(3):
        seen += page.count('<th scope="row">新增人员')
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)
        page = read(auditor, "/admin/acts/" + older[1].replace("&amp;", "&")) if older else ""
    assert seen == 120 and not page


def test_the_sheet_holds_what_was_asked_for_and_that_it_was_taken_is_an_act(
    auditor: Client, city: City
) -> None:
    people.add_person("li", "李")
    people.add_person("=wang()", "王")
    answer = auditor.get("/admin/acts/sheet/?action=person_added")
    rows = list(load_workbook(io.BytesIO(answer.getvalue())).active.iter_rows(values_only=True))
    assert [row[7] for row in rows[1:]] == ["人员 =wang()", "人员 li"]
    taken = acts.last()
    assert taken is not None
    assert (taken.action, taken.person) == ("acts_exported", city.people["auditor"])
    assert set(taken.details["filter"]) == {"action", "since"}
    assert rows[1][9] == bytes(Act.objects.get(name="=wang()").hash).hex()


# --- sign-ins -------------------------------------------------------------------------------------------------------


def test_sign_ins_are_shown_one_by_one_and_found(auditor: Client, city: City) -> None:
    now = timezone.now()
    signing_in.note(SignIn.Outcome.IN, city.people["handler"], now=now, address="192.0.2.1", by="passkey")
    signing_in.note(SignIn.Outcome.REFUSED, None, now=now, address="192.0.2.2", by="password", reason="wrong")
    page = read(auditor, "/admin/sign-ins/")
    for words in ("handler", "登录成功", "通行密钥", "192.0.2.1", "无此账号", "凭证错误", "192.0.2.2"):
        assert words in page
    refused = read(auditor, "/admin/sign-ins/?outcome=refused")
    assert "192.0.2.2" in refused and "192.0.2.1" not in refused
    assert "192.0.2.1" in read(auditor, "/admin/sign-ins/?person=handler&address=192.0.2.1")
    for query in ("outcome=x", "person=nobody", "address=10.0.0.1", "until=2020-01-01"):
        assert "没有符合条件的登录记录" in read(auditor, f"/admin/sign-ins/?{query}")


def test_sign_ins_come_a_page_at_a_time_and_each_costs_the_same(auditor: Client, city: City) -> None:
    def happened(count: int) -> None:
        SignIn.objects.bulk_create(
            SignIn(person=city.people["handler"], at=timezone.now(), outcome="in", by="password")
            for _n in range(count)
        )

    happened(1)
    few = queries(auditor, "/admin/sign-ins/")
    happened(59)
    assert queries(auditor, "/admin/sign-ins/") == few
    page = read(auditor, "/admin/sign-ins/")
    older = re.search(r'href="(\?[^"]*before=\d+)"', page)
    assert older is not None and page.count("登录成功") == 50 + 1  # and in the form
    assert read(auditor, "/admin/sign-ins/" + older[1].replace("&amp;", "&")).count("登录成功") == 10 + 1


# --- verifications --------------------------------------------------------------------------------------------------


def test_a_verification_is_asked_for_watched_and_read(auditor: Client, city: City) -> None:
    case = case_of_a_broken_lamp(events=3)
    page = read(auditor, "/admin/verifications/")
    assert "尚未核验过" in page and "立即核验" in page
    assert auditor.post("/admin/verifications/", {"files": "on"}).status_code == 302
    page = read(auditor, "/admin/verifications/")
    assert "等待后台处理" in page and "立即核验" not in page
    assert auditor.post("/admin/verifications/").status_code == 302
    asked = Verification.objects.get()
    assert (asked.asked_by, asked.files) == (city.people["auditor"], True)
    tamper("delete from ledger_event where case_id = %s and seq = 2", case.pk)
    assert verifications.carry_out(timezone.now()) == 1
    page = read(auditor, "/admin/verifications/")
    assert f"{case.number}</span>: 缺少第 2 条记录" in page and "立即核验" in page


def test_a_page_that_asks_by_itself_hears_nothing_until_something_has_changed(
    auditor: Client, city: City
) -> None:
    auditor.post("/admin/verifications/")

    def ask(tag: str) -> Any:
        return auditor.get("/admin/verifications/", headers={"x-live": "1", "if-none-match": f'"{tag}"'})

    def tag_of(answer: Any) -> str:
        return re.search(r'data-tag="([^"]+)"', answer.content.decode())[1]  # type: ignore[index]

    waiting = tag_of(ask(""))
    assert ask(waiting).status_code == 304
    now = timezone.now()
    Verification.objects.update(state="running", began_at=now, seen_at=now, events=500, events_in_all=1000)
    running = ask(waiting)
    assert "50 %" in running.content.decode()
    assert ask(tag_of(running)).status_code == 304
    Verification.objects.update(state="done", ended_at=timezone.now())
    done = ask(tag_of(running))
    assert "未发现问题" in done.content.decode()
    assert ask(tag_of(done)).status_code == 304


def test_one_that_broke_off_says_of_what_kind_and_no_word_more(auditor: Client, city: City) -> None:
    now = timezone.now()
    Verification.objects.create(
        asked_at=now, files=False, state="failed", began_at=now, ended_at=now, error="MemoryError"
    )
    page = read(auditor, "/admin/verifications/")
    assert "中断" in page and "MemoryError" in page and "未发现问题" not in page


def test_the_list_of_verifications_asks_as_much_for_one_as_for_forty(auditor: Client, city: City) -> None:
    def done(count: int) -> None:
        now = timezone.now()
        for _n in range(count):
            Verification.objects.create(
                asked_at=now, asked_by=city.people["auditor"], files=False, state="done", ended_at=now
            )

    done(1)
    few = queries(auditor, "/admin/verifications/")
    done(39)
    assert queries(auditor, "/admin/verifications/") == few
    assert read(auditor, "/admin/verifications/").count('<th scope="row"') == 20


def test_a_week_without_one_and_one_that_found_something_wait_for_the_auditor(
    auditor: Client, city: City
) -> None:
    assert "记录链已有一周未核验" in read(auditor, "/admin/")
    now = timezone.now()
    made = Verification.objects.create(asked_at=now, files=False, state="done", ended_at=now)
    page = read(auditor, "/admin/")
    assert "最近一次核验未发现问题" in page and "没有待办事项" in page
    Verification.objects.filter(pk=made.pk).update(findings=2)
    assert "最近一次核验发现2处问题" in read(auditor, "/admin/")
    Verification.objects.update(ended_at=now - dt.timedelta(days=8), findings=0)
    assert "记录链已有一周未核验" in read(auditor, "/admin/")
