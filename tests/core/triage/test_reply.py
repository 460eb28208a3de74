"""The check under the reply editor, and what a public text may not show."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.triage import reply
from lucheng.core.triage.reply import check, mask_rooms, mask_text

LAMP = "小区门口的路灯不亮，晚上出门看不见路，请给修一下"
GOOD = "您好。照明管理处3月5日到小区门口查看，更换了损坏的路灯灯泡，当晚已亮灯。"


def kinds(text: str, request: str = LAMP) -> list[str]:
    return [finding.kind for finding in check(text, request)]


def test_a_plain_answer_passes() -> None:
    assert kinds(GOOD) == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("路灯我们会尽快修复。", "promise"),
        ("路灯近期将安排人员处理。", "promise"),
        ("三天内一定修好路灯。", "promise"),
        ("保证路灯以后不坏。", "absolute"),
        ("路灯问题已经彻底解决。", "absolute"),
        ("路灯不归我们单位管。", "pushing"),
        ("路灯不属于我局职责范围。", "pushing"),
        ("路灯的事请您自行联系物业。", "pushing"),
        ("路灯的事建议您向有关部门反映，咨询相关部门。", "pushing"),
        ("路灯按照有关规定办理。", "citation"),
        ("依据《城市照明管理规定》处理路灯。", "citation"),
        ("路灯请联系张工13800001111。", "phone"),
        ("路灯请联系张工１３８ ００００ １１１１。", "phone"),
        ("您的证件号110101199003071234已登记，路灯已修。", "identity"),
    ],
)
def test_what_should_not_be_said_is_found_with_its_words(words: str, kind: str) -> None:
    found = [f for f in check(GOOD + words, LAMP) if f.kind == kind]
    assert len(found) == 1
    assert found[0].words
    assert [f.kind for f in check(GOOD + words, LAMP)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "依据《城市道路照明设施管理规定》第四条，路灯由照明处维修，已于3月5日修好。",
        "路灯维修工程计划3月20日完工，届时请您查看。",
        "装修押金、保证金和路灯费用均未收取，已向您说明。",
        "路灯维修可拨打照明处公开电话0472-5123456。",
    ],
)
def test_dates_articles_and_public_numbers_are_welcome(text: str) -> None:
    assert kinds(text) == []


def test_the_requesters_own_number_may_not_come_back() -> None:
    assert kinds("已致电0472-5123456与您联系，路灯已修。", LAMP + "，电话0472 5123456") == ["phone"]


def test_an_identity_number_is_not_taken_for_a_telephone_as_well() -> None:
    assert kinds(GOOD + "证件13800001111234567X") == ["identity"]


def test_danger_wants_a_word_on_safety() -> None:
    request = "路灯杆漏电，孩子摸到发麻"
    assert kinds("路灯杆已经登记，由照明处负责更换线路。", request) == ["danger"]
    assert kinds("路灯杆已断电并设置警示，照明处正在更换线路。", request) == []


def test_an_answer_to_something_else_is_noticed() -> None:
    assert kinds("您好，居民医保缴费截止到十二月底，可在手机上办理。") == ["unanswered"]


@pytest.mark.parametrize("text", ["", "  \n", "已办。"])
def test_too_little_is_said_to_be_so(text: str) -> None:
    assert kinds(text) == ["short"]


def test_every_kind_of_the_pack_has_its_message_in_both_languages() -> None:
    for kind, message in reply._MESSAGES.items():
        with override("en"):
            english = str(message)
        with override("zh-hans"):
            assert str(message) != english, kind
    assert {kind for kind, _pattern in reply._rules().patterns} <= reply._MESSAGES.keys()


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.text(max_size=100))
def test_any_texts_can_be_checked(text: str, request: str) -> None:
    found = [f.kind for f in check(text, request)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13800001111", "电话***"),
        ("138-0000-1111或 138 0000 1111", "***或 ***"),
        ("+86 13800001111", "***"),
        ("全角１３８００００１１１１", "全角***"),
        ("一三八零零零零一一一一", "***"),
        ("座机0472-5123456转8", "座机***转8"),
        ("身份证11010119900307123X，", "身份证***，"),
        ("卡号6222 0212 3456 7890 123", "卡号***"),
        ("蒙B12345和蒙B·D12345", "***和***"),
        ("邮箱a.b@c.com 微信：abc_12345", "邮箱*** 微信：***"),
        ("18号街坊3号楼2单元501室", "18号街坊3号楼2单元***"),
        ("12栋1201漏水，3-2-501也漏", "12栋***漏水，3-2-***也漏"),
        ("我叫王小明，住1202室", "我叫***，住***"),
        ("联系人：李四", "联系人：***"),
    ],
)
def test_what_points_to_a_person_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04报修",
        "2026年3月4日，已经10天",
        "18号街坊300户居民",
        "12345热线和119",
        "欠款25000元",
        "室温18度，15楼",
        "",
    ],
)
def test_dates_counts_and_public_numbers_stay(text: str) -> None:
    assert mask_text(text) == text


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


_AROUND = st.text("路灯坏了电话 :：，。0-9a-zA-Z\n我叫", max_size=20)


@given(_AROUND, st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.sampled_from(["", " ", "-"]), _AROUND)
def test_no_mobile_number_survives(before: str, number: str, gap: str, after: str) -> None:
    written = gap.join((number[:3], number[3:7], number[7:]))
    assert number not in re.sub(r"[ \-]", "", mask_text(before + written + after))


@pytest.mark.parametrize(
    ("text", "named", "masked"),
    [
        ("已到3号楼2单元501室检修", "", "已到3号楼2单元***检修"),
        ("12栋1201，3-2-501", "", "12栋***，3-2-***"),
        ("已为501室更换阀门", "我家501室没有暖气", "已为***更换阀门"),
        ("请到社区服务中心201室办理", "我家501室没有暖气", "请到社区服务中心201室办理"),
        ("请拨打0472-5123456，室温18度", "501室", "请拨打0472-5123456，室温18度"),
        ("", "501室", ""),
    ],
)
def test_rooms_of_homes_are_masked_and_those_of_offices_stay(text: str, named: str, masked: str) -> None:
    assert mask_rooms(text, named) == masked
