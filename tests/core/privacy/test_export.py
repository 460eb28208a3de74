"""A person gets what is held of them in a file that programs read, and nothing of anybody else's."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from typer.testing import CliRunner

from lucheng.core.cases import attachments, codes, engine
from lucheng.core.cases.models import Case
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.ledger import verify
from lucheng.core.ledger.models import Event
from lucheng.core.privacy import export
from lucheng.core.privacy.cli import privacy
from lucheng.core.privacy.models import Reveal
from tests import factories
from tests.core.cases.test_attachments import picture
from tests.factories import LAMP, NOW, City, received, step

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[3]
MINE, OTHER = "13800132210", "13900132211"
REASON = "本人书面申请复制"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS = tmp_path / "attachments"


@pytest.fixture
def city() -> City:
    made = factories.city()
    made.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    return made


def handled(city: City, phone: str, name: str, words: str) -> Case:
    """A case with a photograph of the requester's, one of the unit's, internal notes and a reply."""
    case = received(phone=phone, name=name, content=words)
    attachments.store(case.pk, picture(), person=None, role="requester", now=NOW)
    attachments.store(case.pk, picture(80, 60), person=city.people["handler"], role="handler", now=NOW)
    engine.act_as_requester(case.code, "supplement", {"note": f"{words}（补充）"}, now=NOW)
    case.refresh_from_db()
    for action, who, fields in [
        ("accept", "dispatcher", {"matter": LAMP}),
        ("dispatch", "dispatcher", {"opinion": "内部意见：请尽快"}),
        ("sign", "handler", {}),
        ("contact", "handler", {"how": "phone"}),
        ("assist", "helper", {"assist_reply": "内部：照明公司已到场"}),
        ("reply", "handler", {"handling": "内部：更换灯泡", "public_reply": "路灯已修好。"}),
        ("approve", "dispatcher", {}),
    ]:
        case = step(case, action, who, city, **fields)
    return case


def made(city: City, cases: list[Case]) -> tuple[dict[str, Any], zipfile.ZipFile, str]:
    file = io.BytesIO()
    export.write(
        cases, file, person=city.people["officer"], role="data_protection_officer", reason=REASON, now=NOW
    )
    opened = zipfile.ZipFile(file)
    text = opened.read("data.json").decode()
    return json.loads(text), opened, text


def test_a_person_gets_what_they_said_gave_and_were_told_and_nothing_of_others(city: City) -> None:
    mine, other = handled(city, MINE, "李测试", "我家门口"), handled(city, OTHER, "王测试", "别人家门口")
    received(phone=MINE, content="另一件事")
    data, opened, text = made(city, export.by_phone("+86 138-0013-2210"))
    case, second = data["cases"]
    assert case["number"] == mine.number and second["content"] == "另一件事"
    assert case["requester"] == {"name": "李测试", "phone": MINE, "address": ""}
    assert case["content"] == "我家门口" and case["public_reply"] == "路灯已修好。"
    assert {"note": "我家门口（补充）"} in [h["texts"] for h in case["history"]]
    assert [m["channel"] for m in case["messages"]][:1] == ["sms"]
    (shown,) = case["photographs"]
    assert opened.read(shown["file"])[:2] == b"\xff\xd8"
    assert case["left_out"] == {"internal_texts": 3, "photographs_of_staff": 1}
    for foreign in (other.number, "王测试", OTHER, "别人家", "内部", *city.people):
        assert foreign not in text, foreign
    assert len([n for n in opened.namelist() if n.endswith(".jpg")]) == 1


def test_the_look_is_in_the_chain_and_in_the_file_before_anything_is_read(city: City) -> None:
    case = handled(city, MINE, "李测试", "我家门口")
    data, _zip, _text = made(city, [case])
    event = Event.objects.get(case=case, action="exported")
    assert event.body == {"reason": REASON} and event.actor == city.people["officer"]
    look = Reveal.objects.get(contact__case=case)
    assert (look.reason, look.number, look.role) == (REASON, case.number, "data_protection_officer")
    assert [(x["reason"], x["fields"]) for x in data["cases"][0]["looks"]] == [(REASON, look.fields)]
    assert set(look.fields) == {"name", "phone"}
    assert list(verify.verify(verify.Tally())) == []


def test_without_a_reason_or_inside_another_transaction_nothing_is_written(city: City) -> None:
    case, officer = received(phone=MINE), city.people["officer"]
    given: dict[str, Any] = {"person": officer, "role": "data_protection_officer", "now": NOW}
    file = io.BytesIO()
    with pytest.raises(Invalid):
        export.write([case], file, reason="无", **given)
    with pytest.raises(RuntimeError), transaction.atomic():
        export.write([case], file, reason=REASON, **given)
    assert file.getvalue() == b"" and not Event.objects.filter(action="exported").exists()


def test_a_code_opens_its_own_case_and_with_a_number_only_where_both_fit(city: City) -> None:
    mine, other = received(phone=MINE), received(phone=OTHER)
    written = codes.written(mine.code)
    assert export.by_code(written) == [mine] == export.by_code(written, MINE)
    for code, phone in (
        (written, OTHER),
        (written, ""),
        (codes.written(other.code), MINE),
        ("LC-0000", None),
    ):
        with pytest.raises(Invalid):
            export.by_code(code, phone)
    with pytest.raises(NotFound):
        export.by_phone("13700000009")
    for wrong in ("", "abc"):
        with pytest.raises(Invalid):
            export.by_phone(wrong)


def test_the_documented_schema_is_the_one_of_the_file(city: City) -> None:
    kept = json.loads((ROOT / "docs" / "export.schema.json").read_text("utf-8"))
    assert kept == export.schema(), "run: python -m tools.export_schema"
    _data, opened, _text = made(city, [received(phone=MINE)])
    assert json.loads(opened.read("schema.json")) == kept


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(privacy, ["export", *words])
    return done.exit_code, done.output


def test_the_command_writes_a_file_for_its_owner_alone_and_only_for_the_officer(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "here")  # the tests' own database runs already
    code, out = codes.written(received(phone=MINE).code), tmp_path / "copy.zip"
    common = ("--reason", REASON, "--out", str(out))
    assert run("--code", code, "--by", "officer", *common)[0] == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run("--code", code, "--by", "officer", *common)[0] == 2, "nothing is written over"
    out.unlink()
    assert run("--code", code, "--by", "duty_officer", *common)[0] == 1
    assert run("--code", code, "--phone", MINE, "--by", "officer", *common)[0] == 2
    assert run("--by", "officer", *common)[0] == 2
    assert run("--phone", "13700000009", "--by", "officer", *common)[0] == 1
    assert not out.exists()
    assert run("--phone", MINE, "--by", "officer", *common)[0] == 0
