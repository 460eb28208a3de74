"""What a person is told comes in editions; a case keeps which was shown, and a create costs no further round trip."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases import intake
from lucheng.core.cases.models import Case
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.privacy import notices
from lucheng.core.privacy.models import NoticeEdition
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import NOW, City

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(db: None) -> City:
    made = factories.city()
    notices.load(now=NOW)
    snapshot.forget()
    return made


def own(folder: Path, **texts: Any) -> Path:
    file = folder / "notice.toml"
    file.write_text(
        "\n".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in texts.items()), "utf-8"
    )
    return file


def second(city: City, folder: Path) -> NoticeEdition:
    made = notices.load(
        own(folder, zh="## 新告知书\n{city}如实告知。", en="## New\nSaid."),
        by=city.people["duty_officer"],
        now=NOW,
    )
    snapshot.forget()
    assert made is not None
    return made


def test_editions_are_added_and_the_newest_is_shown(city: City, tmp_path: Path) -> None:
    assert notices.current() == 1 and notices.load(now=NOW) is None
    with pytest.raises(Invalid):
        notices.load(own(tmp_path, zh="一", en="one"), now=NOW)
    assert second(city, tmp_path).number == 2 == notices.current()
    assert notices.edition(1).zh != notices.edition().zh
    with pytest.raises(NotFound):
        notices.edition(9)


@pytest.mark.parametrize(
    "texts",
    [{"zh": "一"}, {"zh": "", "en": "one"}, {"zh": 1, "en": "one"}, {"zh": "一", "en": "x", "de": "y"}],
)
def test_a_file_without_both_languages_or_with_more_is_refused(
    city: City, tmp_path: Path, texts: dict[str, Any]
) -> None:
    with pytest.raises(Faulty):
        notices.load(own(tmp_path, **texts), by=city.people["duty_officer"], now=NOW)
    assert notices.current() == 1


def create(**changes: Any) -> intake.Created:
    return intake.create(
        factories.call(**changes), actor=None, role="requester", now=NOW, idempotency_key="test:notice"
    )


def test_a_case_keeps_the_edition_and_one_that_never_was_is_refused_at_its_field(city: City) -> None:
    with pytest.raises(Invalid) as refused:
        create(notice=2)
    assert list(refused.value.fields) == ["notice"] and not Case.objects.exists()
    made = create(notice=1)
    assert Case.objects.get(pk=made.id).notice == 1
    assert create(notice=None).repeated, "the same request, whichever notice stood beside it"


def test_a_create_asks_the_database_as_often_with_a_notice_as_without(city: City) -> None:
    create(notice=1)  # warms what is held in memory
    asked = []
    for notice in (None, 1):
        with CaptureQueriesContext(connection) as seen:
            intake.create(factories.call(notice=notice), actor=None, role="requester", now=NOW)
        # Of the create itself there is nothing here: it goes to the driver, as one statement.
        asked.append([q["sql"] for q in seen.captured_queries if "revisions_revision" not in q["sql"]])
    assert asked[0] == asked[1]


def test_a_request_of_before_there_were_notices_has_the_same_digest() -> None:
    """What release 0.1.0 hashed: the request without what came later. A retry across the upgrade finds its case."""
    before = msgspec.defstruct(
        "Before",
        [
            (f.name, f.type, getattr(factories.call(), f.name))
            for f in msgspec.structs.fields(intake.NewCase)
            if f.name not in ("notice", "contact_address")  # what came later
        ],
        kw_only=True,
    )
    for changes in ({}, {"occurred_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC), "fields": {"a": [1, "x"]}}):
        now, then = factories.call(**changes), before(**changes)
        assert intake._digest(now) == hashlib.sha256(msgspec.msgpack.encode(then)).digest()


def test_every_edition_stays_readable_by_anybody(city: City, tmp_path: Path) -> None:
    second(city, tmp_path)
    client = Client(headers={"accept-language": "zh-CN"})
    newest, first = (client.get(a).content.decode() for a in ("/notice/", "/notice/1/"))
    assert "新告知书" in newest and "鹿原市如实告知" in newest and "/notice/1/" in newest
    assert "您的权利" in first and "较早的版本" in first and "{city}" not in first
    assert "Your rights" in Client(headers={"accept-language": "en"}).get("/notice/1/").content.decode()
    assert client.get("/notice/9/").status_code == 404


def test_without_a_notice_nothing_is_shown_and_nothing_breaks(db: None) -> None:
    factories.city()
    assert notices.current() is None
    assert Client().get("/notice/").status_code == 404
    assert Case.objects.get(pk=create().id).notice is None


def test_the_web_form_the_desk_and_the_interface_store_what_was_shown(city: City, tmp_path: Path) -> None:
    resident = Client(headers={"accept-language": "zh-CN"})
    at = resident.post("/", {"text": "鹿苑小区门口的路灯不亮"}).headers["Location"]
    resident.post(at, {"where": "unknown", "address": ""})
    you = at.replace("/place/", "/you/")
    page = resident.get(you).content.decode()
    assert 'name="notice" value="1"' in page and "/notice/1/" in page
    second(city, tmp_path)  # while the form stood open
    sent = resident.post(you, {"nature": "help", "anonymous": "on", "notice": "1"})
    assert sent.status_code == 302
    assert Case.objects.get().notice == 1

    desk = factories.client(city, "operator")
    assert 'name="notice" value="2"' in desk.get("/desk/").content.decode()
    order = {"key": "k1", "nature": "help", "content": "路灯不亮", "channel": "phone", "phone": "13800132210"}
    assert desk.post("/desk/", {**order, "notice": "2", "do": "register"}).status_code == 302
    assert Case.objects.latest("id").notice == 2
    assert desk.post("/desk/", {**order, "key": "k2", "notice": "77", "do": "register"}).status_code == 302
    assert Case.objects.latest("id").notice is None

    headers = {"idempotency-key": "test-notice-1"}
    body = {"nature": "help", "content": "路灯不亮", "place": factories.GRID, "notice": 2}
    made = Client().post("/api/v1/public/cases", body, content_type="application/json", headers=headers)
    assert made.status_code == 201 and Case.objects.latest("id").notice == 2
    wrong = Client().post(
        "/api/v1/public/cases",
        body | {"notice": 9},
        content_type="application/json",
        headers={"idempotency-key": "test-notice-2"},
    )
    assert wrong.status_code == 422 and "notice" in wrong.content.decode()
