"""The pages on which the data-protection officer keeps the registers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.privacy import registers, retention
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import FIELDS, Kind
from tests import factories
from tests.channels.administration.counting import queries
from tests.factories import City

pytestmark = pytest.mark.django_db

PROCESSING, ASSESSMENT, PROCESSOR = Register.PROCESSING, Register.ASSESSMENT, Register.PROCESSOR
AT = "/admin/registers/processing/calls/"


@pytest.fixture
def officer(city: City, client: Client) -> Client:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    client.force_login(city.people["officer"])
    client.cookies["django_language"] = "en"
    return client


def typed(register: Register, **changes: Any) -> dict[str, Any]:
    """What somebody types into the form of a register."""
    filled = {Kind.DAY: "2030-01-01", Kind.YES_NO: ""}
    values = {f.name: filled.get(f.kind, f"{f.name}, truly") for f in FIELDS[register] if f.required}
    return {"title": "来电记录", **values} | changes


def said(register: Register) -> dict[str, Any]:
    """The same, as the core takes it."""
    return {k: v for k, v in typed(register).items() if k != "title"}


def new(browser: Client, register: Register = PROCESSING, code: str = "calls", **changes: Any) -> Any:
    return browser.post(f"/admin/registers/new/{register}/", typed(register, code=code, **changes))


def write(browser: Client, seen: int, **changes: Any) -> Any:
    return browser.post(f"{AT}write/?seen={seen}", typed(PROCESSING, note="a yearly review", **changes))


def text(response: Any) -> str:
    return str(response.content.decode())


PAGES = (
    "/admin/registers/",
    "/admin/registers/sheet/",
    "/admin/registers/print/",
    "/admin/registers/new/processing/",
    AT,
    f"{AT}write/",
)


def test_they_open_to_who_audits_personal_data_in_the_whole_city_and_to_nobody_else(
    officer: Client, city: City
) -> None:
    new(officer)
    for page in PAGES:
        assert officer.get(page).status_code == 200, page
    county = factories.person("county", "data_protection_officer", factories.WEST)
    for who in (*(city.people[n] for n in ("operator", "administrator", "auditor", "duty_officer")), county):
        officer.force_login(who)
        for page in PAGES:
            assert officer.get(page).status_code == 403, (who, page)
        for page in (f"{AT}write/", f"{AT}end/", f"{AT}destroy/", "/admin/registers/new/processing/"):
            assert officer.post(page).status_code == 403, (who, page)
    officer.logout()
    for page in PAGES:
        assert officer.get(page).status_code == 302, page
    assert RegisterEntry.objects.count() == 1


def test_an_entry_is_written_and_stands_in_its_list(officer: Client) -> None:
    retention.load(now=timezone.now())
    rule = "command_centre.order/contact"
    assert new(officer, ASSESSMENT, "health", title="健康信息评估").status_code == 302
    made = new(officer, sensitive="on", rules=[rule], assessments="health")
    assert made.status_code == 302 and made.headers["Location"] == AT
    entry = registers.last(PROCESSING, "calls", timezone.now())
    assert entry.fields["sensitive"] is True and entry.fields["rules"] == [rule]
    assert entry.fields["assessments"] == ["health"] and entry.made_by is not None
    page = text(officer.get(AT))
    assert "24 months after closing" in page and '/admin/registers/assessment/health/"' in page
    listed = text(officer.get("/admin/registers/"))
    assert "来电记录" in listed and "健康信息评估" not in listed
    assert "健康信息评估" in text(officer.get("/admin/registers/?register=assessment"))
    assert "来电记录" not in text(officer.get("/admin/registers/?q=信件"))
    assert "来电记录" not in text(officer.get("/admin/registers/?state=ended"))


@pytest.mark.parametrize("register", list(Register))
def test_each_register_is_written_by_its_own_form(officer: Client, register: Register) -> None:
    form = text(officer.get(f"/admin/registers/new/{register}/"))
    assert all(f'name="{f.name}"' in form for f in FIELDS[register] if f.kind is not Kind.RULES)
    assert new(officer, register).status_code == 302
    again = officer.get(f"/admin/registers/{register}/calls/write/")
    unchanged = {k: v for k, v in again.context["form"].initial.items() if v}
    sent = officer.post(
        f"/admin/registers/{register}/calls/write/?seen=1", unchanged | {"note": "nothing new"}, follow=True
    )
    assert "Nothing differs" in text(sent), "what the form shows is what is kept"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "This field is required"),
        ({"purpose": " "}, "This field is required"),
        ({"assessments": "nowhere"}, "There is no such entry: nowhere."),
        ({"rules": ["x/y"]}, "x/y"),
        ({"code": "Calls 1"}, "small letters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    officer: Client, changes: dict[str, Any], words: str
) -> None:
    answer = new(officer, **{"code": "calls", "source": "from <b>the</b> caller"} | changes)
    assert answer.status_code == 422 and words in text(answer)
    assert "from &lt;b&gt;the&lt;/b&gt; caller" in text(answer) and not RegisterEntry.objects.exists()


def test_a_code_that_is_taken_is_refused(officer: Client) -> None:
    new(officer)
    answer = new(officer, purpose="another")
    assert answer.status_code == 422 and "already" in text(answer)


def test_a_new_version_says_what_it_changed_and_the_old_one_can_be_read(officer: Client) -> None:
    new(officer, purpose="before <i>")
    assert write(officer, 1, purpose="after").status_code == 302
    page = text(officer.get(AT))
    assert "a yearly review" in page and "before &lt;i&gt;" in page and "kept until" in page
    old = text(officer.get(f"{AT}?version=1"))
    assert "This is version 1; version 2 is the last." in old and "Write a new version" not in old
    assert officer.get(f"{AT}?version=7").status_code == 404


def test_of_two_who_write_a_version_the_second_is_told_what_the_first_changed(officer: Client) -> None:
    new(officer)
    write(officer, 1, purpose="the first was here")
    late = write(officer, 1, purpose="the second is late")
    assert late.status_code == 409
    assert "the second is late" in text(late) and "the first was here" in text(late)
    assert "?seen=2" in text(late) and RegisterEntry.objects.count() == 2
    assert write(officer, 2, purpose="the second is late").status_code == 302


def test_a_mistake_in_a_form_that_is_late_does_not_hide_that_it_is_late(officer: Client) -> None:
    new(officer)
    write(officer, 1, purpose="the first was here")
    wrong = write(officer, 1, purpose="")
    assert wrong.status_code == 422 and "?seen=1" in text(wrong)
    wrong = officer.post(f"{AT}end/", {"seen": "1", "ended_on": "", "note": "given up"})
    assert wrong.status_code == 422 and 'name="seen" value="1"' in text(wrong)
    late = officer.post(f"{AT}end/", {"seen": "1", "ended_on": "2026-01-01", "note": "given up"})
    assert late.status_code == 409 and 'name="seen" value="2"' in text(late)


def test_an_entry_is_ended_and_taken_up_again(officer: Client) -> None:
    new(officer)
    today = timezone.localdate().isoformat()
    ended = officer.post(f"{AT}end/", {"seen": "1", "ended_on": today, "note": "given up"}, follow=True)
    assert "over" in text(ended) and "ended" in text(ended)
    assert "来电记录" not in text(officer.get("/admin/registers/"))
    assert "来电记录" in text(officer.get("/admin/registers/?state=ended"))
    write(officer, 2, ended_on=today, purpose="still over")
    assert registers.last(PROCESSING, "calls", timezone.now()).ended_on is not None
    write(officer, 3)
    assert registers.last(PROCESSING, "calls", timezone.now()).ended_on is None


def test_what_must_be_kept_is_refused_and_what_need_not_is_destroyed_by_hand(
    officer: Client, city: City
) -> None:
    new(officer)
    assert "Destroy these versions" not in text(officer.get(AT))
    refused = officer.post(f"{AT}destroy/", follow=True)
    assert "must still be kept" in text(refused) and RegisterEntry.objects.count() == 1
    long_ago = timezone.now() - dt.timedelta(days=5 * 366)
    registers.write(
        PROCESSOR,
        "gateway",
        "网关",
        said(PROCESSOR),
        by=city.people["officer"],
        after=0,
        ended_on=long_ago.date(),
        now=long_ago,
    )
    at = "/admin/registers/processor/gateway/"
    assert "Destroy these versions" in text(officer.get(at))
    gone = officer.post(f"{at}destroy/")
    assert gone.headers["Location"] == "/admin/registers/?register=processor"
    assert officer.get(at).status_code == 404 and officer.post(f"{at}destroy/").status_code == 302


def test_sheet_and_print_hold_what_the_list_asks_for(officer: Client) -> None:
    new(officer)
    new(officer, code="letters", title="信件记录", purpose="信件")
    sheet = officer.get("/admin/registers/sheet/?register=processing&state=all")
    assert sheet["Content-Type"].endswith("spreadsheetml.sheet") and sheet.getvalue()[:2] == b"PK"
    page = text(officer.get("/admin/registers/print/?register=processing&q=信件"))
    assert "信件记录" in page and "来电记录" not in page and "Printed" in page


def test_what_waits_is_said_on_the_front_page_and_in_the_list(officer: Client) -> None:
    assert "No entry is in force." in text(officer.get("/admin/"))
    new(officer, sensitive="on")
    words = "sensitive or entrusted, without an assessment in force"
    for page in ("/admin/", "/admin/registers/", "/admin/registers/?state=waiting", AT):
        assert words in text(officer.get(page)), page
    new(officer, ASSESSMENT, "health")
    write(officer, 1, sensitive="on", assessments="health")
    assert words not in text(officer.get("/admin/")) and "2 entries in force" in text(officer.get("/admin/"))


@pytest.mark.parametrize(
    "page",
    [
        "/admin/registers/?register=people",
        "/admin/registers/new/people/",
        "/admin/registers/people/calls/",
        "/admin/registers/processing/nothing/",
        "/admin/registers/processing/nothing/write/",
    ],
)
def test_what_there_is_not_is_not_found(officer: Client, page: str) -> None:
    assert officer.get(page).status_code == 404


def test_lists_and_histories_are_paged_and_each_page_costs_the_same(officer: Client, city: City) -> None:
    new(officer)
    write(officer, 1, purpose="version 2")
    addresses = ["/admin/registers/", AT]
    few = [queries(officer, address) for address in addresses]
    by = city.people["officer"]
    for n in range(60):
        registers.write(
            PROCESSING, f"other-{n:02}", "其他", said(PROCESSING), by=by, after=0, now=timezone.now()
        )
    for n in range(3, 30):
        write(officer, n - 1, purpose=f"version {n}")
    many = [queries(officer, address) for address in addresses]
    assert many[0] == few[0] and many[1] <= few[1] + 1, "the version before the page is one look more"
    listed = officer.get("/admin/registers/")
    assert len(listed.context["rows"]) == 50 and "page=2" in text(listed)
    first, second = officer.get(AT), officer.get(f"{AT}?page=2")
    assert "version 29" in text(first) and "version 12" not in text(first)
    assert len(second.context["rows"]) == 10
    last = second.context["rows"][-1]
    assert officer.get(f"{AT}?page=99").status_code == 200
    assert last["version"].version == 10 and last["changes"], "compared with one that is on the next page"
