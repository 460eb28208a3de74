"""Numbers are understood as people write them, masked in lists, found by a blind index, shown only for a reason."""

from __future__ import annotations

import doctest
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import assume, given
from hypothesis import strategies as st

from lucheng.core.cases.models import Case
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.ledger.append import append
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import contacts
from lucheng.core.privacy.contacts import mask_phone, normalise_phone, open_phone, phone_index, reveal, sealed
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.core.privacy.sealing import SealError
from tests.core.ledger.stories import NOW, PHONE, case_of_a_broken_lamp


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(contacts).failed == 0


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("13800132210", "13800132210"),
        (" 138-0013-2210 ", "13800132210"),
        ("+86 138 0013 2210", "13800132210"),
        ("008613800132210", "13800132210"),
        ("8613800132210", "13800132210"),
        ("１３８００１３２２１０", "13800132210"),
        ("（0472）5123456", "04725123456"),
        ("0472—5123456转801", "04725123456x801"),
        ("010-65123456 ext. 12", "01065123456x12"),
        ("12345", "12345"),
        ("+852 9876 5432", "+85298765432"),
        ("   ", ""),
        ("", ""),
    ],
)
def test_one_number_has_one_spelling(written: str, plain: str) -> None:
    assert normalise_phone(written) == plain
    assert normalise_phone(plain) == plain


@pytest.mark.parametrize(
    "wrong",
    ["没有", "12", "138001x", "13800132210,13900000000", "1380013221O", "1" * 20, "٣٤٥", "+", "<b>138</b>"],
)
def test_what_is_no_number_is_refused_at_its_field(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalise_phone(wrong)
    assert list(refused.value.fields) == ["phone"]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        plain = normalise_phone(text)
    except Invalid:
        return
    assert normalise_phone(plain) == plain


@given(st.from_regex(r"\A(\+[1-9])?[0-9]{3,14}(x[0-9]{1,6})?\Z"))
def test_a_mask_hides_four_digits_or_all_but_one_and_fits_its_column(number: str) -> None:
    try:
        base = normalise_phone(number).split("x")[0]
    except Invalid:
        assume(False)
    mask = mask_phone(number)
    shown = [c for c in mask if c != "*"]
    assert len(base) - len(shown) >= min(4, len(base) - 1)
    assert len(mask) <= 20
    assert base not in mask


@pytest.mark.parametrize(
    ("number", "mask"),
    [
        ("13800132210", "138****2210"),
        ("0472-5123456", "0472****456"),
        ("010-65123456", "010****456"),
        ("0472-5123456转801", "0472****456"),
        ("5123456", "****456"),
        ("6221", "****1"),
        ("+85298765432", "+85****432"),
        ("", ""),
    ],
)
def test_masks_as_lists_show_them(number: str, mask: str) -> None:
    assert mask_phone(number) == mask


def test_the_blind_index_is_the_same_for_one_number_however_written_and_only_with_this_key(
    tmp_path: Any, settings: Any
) -> None:
    index = phone_index("138 0013 2210")
    assert index == phone_index("+8613800132210")
    assert index != phone_index("13800132211")
    assert len(index) == 32
    settings.HOME = tmp_path
    assert phone_index("13800132210") != index


def test_an_empty_contact_stays_empty() -> None:
    assert sealed(7, name=" ", phone="") == contacts.Sealed(None, None, "", None, None)


@pytest.fixture
def operator(db: None) -> Person:
    return Person.objects.create_user("operator", name="话务员甲")


def test_a_look_is_shown_only_after_who_when_and_why_is_written(operator: Person) -> None:
    case = case_of_a_broken_lamp()
    seen = reveal(case.contact, person=operator, role="operator", reason=" 回访  核实地址 ", now=NOW)
    assert (seen.name, seen.phone) == ("测试人", PHONE)
    look = Reveal.objects.get()
    assert (look.contact, look.person, look.at, look.reason) == (case.contact, operator, NOW, "回访 核实地址")
    assert (look.number, look.role, look.fields) == (case.number, "operator", ["name", "phone"])
    event = Event.objects.get(case=case, action="contact_revealed")
    assert (event.actor, event.actor_role) == (operator, "operator")
    assert event.body == {"reason": "回访 核实地址", "fields": ["name", "phone"]}
    case.refresh_from_db()
    assert (case.chain_length, case.version, bytes(case.chain_head)) == (2, seen.version, bytes(event.hash))


def test_what_was_revealed_does_not_print_itself(operator: Person) -> None:
    seen = reveal(
        case_of_a_broken_lamp().contact, person=operator, role="operator", reason="回访核实", now=NOW
    )
    assert PHONE not in repr(seen)
    assert PHONE not in f"{seen}"


@pytest.mark.parametrize("reason", ["", "   ", "核实", "a b", "理" * 201, "打13800132210核实"])
def test_without_a_proper_reason_nothing_is_shown_or_written(operator: Person, reason: str) -> None:
    case = case_of_a_broken_lamp()
    with pytest.raises(Invalid) as refused:
        reveal(case.contact, person=operator, role="operator", reason=reason, now=NOW)
    assert list(refused.value.fields) == ["reason"]
    assert not Reveal.objects.exists()
    assert Event.objects.filter(case=case).count() == 1


ADDRESS = "钢铁大街 18 号街坊 3 号楼 2 单元 501"


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (["name"], ("测试人", None, None)),
        (["phone"], (None, PHONE, None)),
        (["address"], (None, None, ADDRESS)),
        (["address", "phone", "name"], ("测试人", PHONE, ADDRESS)),
    ],
)
def test_no_more_is_opened_than_was_asked_for_and_the_trace_says_what(
    operator: Person, asked: list[str], seen: tuple[str | None, ...]
) -> None:
    case = case_of_a_broken_lamp(address=ADDRESS)
    shown = reveal(case.contact, person=operator, role="operator", reason="寄送答复", now=NOW, fields=asked)
    assert (shown.name, shown.phone, shown.address) == seen
    opened = [f for f in ("name", "phone", "address") if f in asked]
    assert Reveal.objects.get().fields == opened
    assert Event.objects.get(case=case, action="contact_revealed").body["fields"] == opened


@pytest.mark.parametrize("asked", [[], ["identity"], ["phone", "identity"]])
def test_what_is_not_sealed_here_is_not_opened(operator: Person, asked: list[str]) -> None:
    case = case_of_a_broken_lamp(address=ADDRESS)
    with pytest.raises(Invalid) as refused:
        reveal(case.contact, person=operator, role="operator", reason="寄送答复", now=NOW, fields=asked)
    assert list(refused.value.fields) == ["fields"]
    assert not Reveal.objects.exists()


def test_what_was_not_left_is_not_looked_at(operator: Person) -> None:
    case = case_of_a_broken_lamp()
    with pytest.raises(NotFound):
        reveal(case.contact, person=operator, role="operator", reason="寄送答复", now=NOW, fields=["address"])
    assert not Reveal.objects.exists()
    shown = reveal(
        case.contact, person=operator, role="operator", reason="寄送答复", now=NOW, fields=["name", "address"]
    )
    assert (shown.name, shown.address) == ("测试人", "")
    assert Reveal.objects.get().fields == ["name"]


def test_a_field_put_in_the_place_of_another_does_not_open(operator: Person) -> None:
    case = case_of_a_broken_lamp(address=ADDRESS)
    Contact.objects.filter(case=case).update(name=case.contact.address)
    case.contact.refresh_from_db()
    with pytest.raises(SealError):
        reveal(case.contact, person=operator, role="operator", reason="寄送答复", now=NOW)


def test_an_order_number_may_stand_in_a_reason(operator: Person) -> None:
    contact = case_of_a_broken_lamp().contact
    reveal(contact, person=operator, role="operator", reason="核对工单26030200000001", now=NOW)
    assert Reveal.objects.exists()


def test_a_sealed_number_moved_to_another_case_does_not_open_there(operator: Person) -> None:
    mine, other = case_of_a_broken_lamp(phone=PHONE), case_of_a_broken_lamp(phone="13900000000")
    Contact.objects.filter(case=other).update(phone=mine.contact.phone)
    other.contact.refresh_from_db()
    with pytest.raises(SealError):
        reveal(other.contact, person=operator, role="operator", reason="回访核实", now=NOW)
    assert not Reveal.objects.exists()


def test_a_look_inside_another_transaction_is_refused_since_its_rollback_would_forget_it(
    operator: Person, transactional_db: None
) -> None:
    operator = Person.objects.create_user("another", name="话务员乙")
    case = case_of_a_broken_lamp()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        reveal(case.contact, person=operator, role="operator", reason="回访核实", now=NOW)
    assert not Reveal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_look_and_a_step_at_the_same_time_both_stand_in_the_chain() -> None:
    operator = Person.objects.create_user("operator", name="话务员甲")
    case = case_of_a_broken_lamp()
    contact = case.contact

    def look() -> None:
        reveal(contact, person=operator, role="operator", reason="回访核实", now=NOW)
        connection.close()

    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=case.pk)
        thread = threading.Thread(target=look)
        thread.start()
        append(held, "note", {}, actor=None, role="system", now=NOW)
        held.save()
    thread.join()
    actions = list(Event.objects.filter(case=case).order_by("seq").values_list("seq", "action"))
    assert actions == [(1, "create"), (2, "note"), (3, "contact_revealed")]


def test_a_split_case_gets_the_same_requester_sealed_anew(db: None) -> None:
    source, target = case_of_a_broken_lamp(address=ADDRESS), case_of_a_broken_lamp(phone="", name="")
    contacts.copy(source.pk, target.pk)
    target.refresh_from_db()
    assert open_phone(target.contact) == PHONE
    assert contacts.resealed(target.contact).address
    assert bytes(target.contact.phone) != bytes(source.contact.phone)
