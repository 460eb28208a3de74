"""The page of reply templates."""

from __future__ import annotations

from lucheng.core.triage.models import ReplyTemplate
from tests.channels.unit.conftest import Door
from tests.factories import City

PAGE = "/unit/templates/"


def given(city: City, **changes: object) -> dict[str, object]:
    return {
        "name": "路灯报修",
        "matter": "0102",
        "text": "您好，{place}的路灯已修好。",
        "unit": city.units["utilities"].pk,
        "version": 0,
        **changes,
    }


def test_a_template_is_written_changed_and_taken_out_of_use(city: City, door: Door) -> None:
    handler = door("handler")
    assert handler.post(PAGE, given(city)).status_code == 302
    made = ReplyTemplate.objects.get(unit=city.units["utilities"])
    assert (made.changed_by, made.version) == (city.people["handler"], 1)
    page = f"{PAGE}{made.pk}/"
    assert "路灯已修好" in handler.get(page).content.decode()
    assert handler.post(page, given(city, text="您好，已更换灯泡。", version=1)).status_code == 302
    stale = handler.post(page, given(city, text="我写的另一稿", version=1))
    assert stale.status_code == 422 and "我写的另一稿" in stale.content.decode()
    assert "他人修改" in stale.content.decode()
    assert handler.post(page, {"do": "retire", "version": 2}).status_code == 302
    assert handler.get(page).status_code == 404
    assert "路灯报修" not in handler.get(PAGE).content.decode()


def test_one_of_the_pack_may_be_started_from_and_not_changed(city: City, door: Door) -> None:
    common = ReplyTemplate.objects.get(code="lamp")
    handler = door("handler")
    assert common.text in handler.get(f"{PAGE}?from={common.pk}").content.decode().partition("<textarea")[2]
    assert handler.get(f"{PAGE}{common.pk}/").status_code == 404
    assert handler.post(f"{PAGE}{common.pk}/", given(city, version=1)).status_code == 404


def test_another_units_are_neither_seen_nor_changed(city: City, door: Door) -> None:
    door("handler").post(PAGE, given(city))
    made = ReplyTemplate.objects.get(unit=city.units["utilities"])
    stoker = door("stoker")
    assert "路灯报修" not in stoker.get(PAGE).content.decode()
    assert stoker.post(f"{PAGE}{made.pk}/", {"do": "retire", "version": 1}).status_code == 404
    assert stoker.post(PAGE, given(city)).status_code == 403
    assert door("dispatcher").get(PAGE).status_code == 403
    assert ReplyTemplate.objects.filter(unit=city.units["utilities"], retired_at=None).count() == 1


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(city: City, door: Door) -> None:
    answer = door("handler").post(PAGE, given(city, text="请{requester}拨打"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "没有占位符 {requester}" in page and "请{requester}拨打" in page
    assert not ReplyTemplate.objects.exclude(unit=None).exists()
