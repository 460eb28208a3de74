"""The rules of law that the engine enforces: the name says the rule, the docstring the law."""

from __future__ import annotations

import datetime as dt

import pytest

from lucheng.core.cases import engine, intake, queries
from lucheng.core.cases.models import Assist, Case, Nature, State, Supervision
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.ledger.append import append
from lucheng.core.ledger.models import Event, Message
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Interest
from lucheng.core.privacy import contacts
from lucheng.core.revisions import snapshot
from tests.factories import GRID, LAMP, NO_RULE, NOW, RUBBISH, City, call, case_in, received, step

LATER = NOW + dt.timedelta(hours=1)


def test_an_order_records_time_matter_and_contact(city: City) -> None:
    """Beijing art. 10, Jinan art. 22."""
    case = received()
    assert case.created_at == NOW
    assert case.content
    assert case.contact.phone_mask == "138****0000"
    with pytest.raises(Invalid) as e:
        intake.create(call(phone=""), actor=None, role="requester", now=NOW)
    assert set(e.value.fields) == {"phone"}


def test_an_inquiry_may_be_answered_at_once(city: City) -> None:
    """Beijing art. 11."""
    case = step(received(nature=Nature.INQUIRY.value), "answer", "operator", city, answer="工作日均可办理。")
    assert case.state == State.ANSWERED
    assert case.public_reply == "工作日均可办理。"


@pytest.mark.parametrize("nature", [Nature.HELP, Nature.COMPLAINT, Nature.REPORT, Nature.SUGGESTION])
def test_what_is_not_an_inquiry_is_dispatched_and_not_answered_away(city: City, nature: Nature) -> None:
    """Beijing art. 11."""
    with pytest.raises(Invalid) as e:
        step(received(nature=nature.value), "answer", "operator", city, answer="已知悉。")
    assert set(e.value.fields) == {"ground"}


def test_a_matter_without_new_facts_may_be_answered_with_its_progress(city: City) -> None:
    """Beijing art. 11: one of the inputs with a fixed treatment."""
    case = step(
        received(), "answer", "operator", city, ground="no_new_facts", answer="正在维修，预计明日完成。"
    )
    assert case.state == State.ANSWERED


def test_a_refusal_states_reason_and_path(city: City) -> None:
    """Weifang art. 19."""
    case = received()
    with pytest.raises(Invalid) as e:
        step(case, "reject", "operator", city, ground="statutory_path")
    assert set(e.value.fields) == {"reason"}
    with pytest.raises(Invalid) as e:
        step(case, "reject", "operator", city, ground="statutory_path", reason="依法应通过诉讼解决")
    assert set(e.value.fields) == {"path"}
    told = step(
        case,
        "reject",
        "operator",
        city,
        ground="statutory_path",
        reason="依法应通过诉讼解决",
        path="可向人民法院起诉",
    )
    assert told.state == State.REJECTED
    assert Message.objects.filter(case=case, template="rejected").exists()


def test_clear_duty_goes_to_the_unit_and_a_street_order_is_copied_to_the_county(city: City) -> None:
    """Beijing art. 12."""
    case = step(received(), "accept", "dispatcher", city, matter=RUBBISH)
    case = step(case, "dispatch", "dispatcher", city)
    assert case.lead_unit == city.units["street"]
    assert (
        Message.objects.filter(case=case, template="dispatched_copy", to_unit=city.units["west"]).count() == 1
    )


def test_the_copy_to_the_county_is_the_same_when_the_order_is_dispatched_at_once(city: City) -> None:
    """Beijing art. 12, by the one-statement create."""
    made = intake.create(
        call(matter=RUBBISH, dispatch=True), actor=city.people["operator"], role="operator", now=NOW
    )
    assert made.state == State.DISPATCHED
    assert (
        Message.objects.filter(
            case_id=made.id, template="dispatched_copy", to_unit=city.units["west"]
        ).count()
        == 1
    )


def test_an_objection_is_decided_by_the_service_and_not_by_the_unit(city: City) -> None:
    """Beijing art. 12."""
    case = case_in(State.RETURN_REQ, city)
    with pytest.raises(Forbidden):
        step(case, "uphold", "handler", city, reason="我们自己维持")
    assert step(case, "uphold", "dispatcher", city, reason="职责清单列明").state == State.DISPATCHED


def test_an_arbiter_who_serves_in_the_unit_may_not_decide_its_objection(city: City) -> None:
    """Beijing art. 12."""
    from tests.factories import CITY, post

    post(city.people["dispatcher"], "handler", CITY, city.units["utilities"])
    case = case_in(State.RETURN_REQ, city)
    with pytest.raises(Forbidden):
        step(case, "uphold", "dispatcher", city, reason="职责清单列明")


def test_the_time_limit_is_written_on_the_order(city: City) -> None:
    """Beijing art. 13."""
    case = case_in(State.DISPATCHED, city)
    reply = Clock.objects.get(case=case, kind=ClockKind.REPLY)
    event = Event.objects.get(case=case, action="dispatch")
    assert reply.due_at > NOW
    assert any("reply" in str(tick) for tick in event.body["clocks"])
    assert case.due_at is not None


def test_the_first_receiver_leads_and_helpers_report_or_explain(city: City) -> None:
    """Beijing art. 14 (首接负责制)."""
    case = case_in(State.SIGNED, city)
    assert list(Assist.objects.filter(case=case).values_list("unit", flat=True)) == [
        city.units["lighting"].pk
    ]
    case = step(case, "contact", "handler", city, how="phone")
    with pytest.raises(Invalid) as e:
        step(case, "reply", "handler", city, handling="已更换", public_reply="已修好。")
    assert set(e.value.fields) == {"note"}
    case = step(case, "assist", "helper", city, assist_reply="已派员更换灯泡")
    assert (
        step(case, "reply", "handler", city, handling="已更换", public_reply="已修好。").state
        == State.REPLIED
    )


def test_a_helper_may_not_report_for_another_unit(city: City) -> None:
    """Beijing art. 14."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(NotFound):
        step(case, "assist", "stoker", city, assist_reply="不归我们")
    with pytest.raises(Forbidden):
        step(case, "assist", "handler", city, assist_reply="自己替协办写")


def test_the_unit_contacts_the_requester_before_it_replies(city: City) -> None:
    """Beijing art. 15."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid):
        step(case, "reply", "handler", city, handling="已更换", public_reply="已修好。", note="协办已到场")


def test_contact_must_be_made_again_after_the_order_is_sent_back(city: City) -> None:
    """Beijing art. 15."""
    case = step(case_in(State.REWORK, city), "redo", "handler", city)
    with pytest.raises(Invalid):
        step(case, "reply", "handler", city, handling="再次更换", public_reply="已修好。", note="协办已到场")


def test_who_wants_no_reply_is_not_called(city: City) -> None:
    """Jinan art. 16."""
    case = case_in(State.SIGNED, city, reply_wanted=False)
    done = step(case, "reply", "handler", city, handling="已更换", public_reply="已修好。", note="协办已到场")
    assert done.state == State.REPLIED
    assert not Message.objects.filter(case=case, to_unit=None).exists()


def test_more_time_is_asked_for_only_after_telling_the_requester(city: City) -> None:
    """Beijing art. 15."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid) as e:
        step(case, "extend", "handler", city, days="5", reason="等待配件")
    assert set(e.value.fields) == {"person_told"}


@pytest.mark.parametrize("days", ["0", "11", "400"])
def test_an_extension_keeps_within_ten_working_days(city: City, days: str) -> None:
    """Shandong 2020."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid) as e:
        step(case, "extend", "handler", city, days=days, reason="等待配件", person_told=True)
    assert set(e.value.fields) == {"days"}


def test_granted_time_moves_the_due_date_and_is_told(city: City) -> None:
    """Beijing art. 15."""
    case = case_in(State.EXTEND_REQ, city)
    before = Clock.objects.get(case=case, kind=ClockKind.REPLY).due_at
    case = step(case, "grant_extension", "dispatcher", city, days="5")
    assert Clock.objects.get(case=case, kind=ClockKind.REPLY).due_at > before
    assert Message.objects.filter(case=case, template="extended", to_unit=None).exists()


def test_a_department_duty_is_not_pushed_down_to_the_street(city: City) -> None:
    """Beijing art. 17, Weifang art. 24, 国办函〔2025〕66号."""
    case = case_in(State.ACCEPTED, city)
    with pytest.raises(Invalid) as e:
        step(case, "dispatch", "dispatcher", city, lead_unit="street", opinion="就近处理")
    assert set(e.value.fields) == {"lead_unit"}
    listed = step(received(), "accept", "dispatcher", city, matter=RUBBISH)
    assert (
        step(listed, "dispatch", "dispatcher", city, lead_unit="street", opinion="就近处理").state
        == State.DISPATCHED
    )


def test_a_callback_clock_runs_after_every_reviewed_reply(city: City) -> None:
    """Beijing art. 23."""
    case = case_in(State.CALLBACK, city)
    assert Clock.objects.filter(case=case, kind=ClockKind.CALLBACK, state=Clock.State.RUNNING).exists()


def test_a_return_states_its_reason_and_basis(city: City) -> None:
    """Weifang art. 22."""
    case = case_in(State.DISPATCHED, city)
    with pytest.raises(Invalid) as e:
        step(case, "return", "handler", city)
    assert set(e.value.fields) == {"reason", "basis"}


def test_a_return_comes_within_its_limit(city: City) -> None:
    """Shandong 2020: two working days."""
    case = case_in(State.DISPATCHED, city)
    week = NOW + dt.timedelta(days=7)
    with pytest.raises(Conflict):
        step(case, "return", "handler", city, week, reason="不属本单位职责", basis="三定方案")


def test_a_unit_named_after_study_may_not_return_again(city: City) -> None:
    """Weifang art. 22."""
    case = step(case_in(State.RETURN_REQ, city), "uphold", "dispatcher", city, reason="职责清单列明")
    with pytest.raises(Forbidden):
        step(case, "return", "handler", city, reason="仍不属本单位", basis="三定方案")


def test_bouncing_an_order_is_not_free(city: City) -> None:
    """The reply clock starts at dispatch and goes on through a return (国办函〔2025〕66号, 派单异议审核)."""
    case = case_in(State.RETURN_REQ, city)
    before = Clock.objects.get(case=case, kind=ClockKind.REPLY)
    case = step(case, "redispatch", "dispatcher", city, LATER, lead_unit="heating", reason="改由供热中心办理")
    after = Clock.objects.get(case=case, kind=ClockKind.REPLY)
    assert (after.pk, after.due_at) == (before.pk, before.due_at)


def test_lead_and_helpers_are_fixed_by_the_hotline(city: City) -> None:
    """Weifang arts 22, 24."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Forbidden):
        step(case, "ask_assist", "handler", city, assist_unit="heating", reason="请协助")
    case = step(case, "ask_assist", "dispatcher", city, assist_unit="heating", reason="请协助")
    assert city.units["heating"].pk in case.units


def test_no_row_of_the_catalogue_is_no_silent_default(city: City) -> None:
    """国办函〔2025〕66号: the catalogue decides, or a person who says why."""
    case = step(received(), "accept", "dispatcher", city, matter=NO_RULE)
    with pytest.raises(Invalid) as e:
        step(case, "dispatch", "dispatcher", city)
    assert set(e.value.fields) == {"lead_unit"}
    with pytest.raises(Invalid) as e:
        step(case, "dispatch", "dispatcher", city, lead_unit="utilities")
    assert set(e.value.fields) == {"opinion"}
    done = step(case, "dispatch", "dispatcher", city, lead_unit="utilities", opinion="暂由城管局牵头")
    assert (done.lead_unit, done.rule) == (city.units["utilities"], None)


def test_supervision_states_its_ground_and_level(city: City) -> None:
    """Weifang art. 26."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid) as e:
        step(case, "supervise", "supervisor", city, level="listed")
    assert set(e.value.fields) == {"supervision_ground", "opinion"}
    case = step(
        case,
        "supervise",
        "supervisor",
        city,
        level="listed",
        supervision_ground="overdue",
        opinion="限三日内办结",
    )
    assert (case.supervision, case.state) == (Supervision.LISTED, State.SIGNED)


def test_supervision_at_callback_returns_the_order_to_its_unit(city: City) -> None:
    """Weifang art. 26."""
    case = step(
        case_in(State.CALLBACK, city),
        "supervise",
        "supervisor",
        city,
        level="daily",
        supervision_ground="unsolved",
        opinion="应解决未解决",
    )
    assert case.state == State.SIGNED


def test_every_reply_is_reviewed_by_somebody_else(city: City) -> None:
    """Jinan art. 27."""
    from tests.factories import CITY, post

    post(city.people["handler"], "dispatcher", CITY, city.units["hotline"])
    with pytest.raises(Forbidden):
        step(case_in(State.REPLIED, city), "approve", "handler", city)


def test_a_bad_callback_goes_back_to_be_done_again(city: City) -> None:
    """Jinan art. 27."""
    case = case_in(State.CALLBACK, city)
    with pytest.raises(Invalid):
        step(case, "close", "operator", city, satisfaction="1", solved=False)
    case = step(case, "send_back", "dispatcher", city, reason="回访反映仍不亮")
    assert (case.state, case.reworks) == (State.REWORK, 1)
    assert Clock.objects.filter(case=case, kind=ClockKind.REPLY, state=Clock.State.RUNNING).exists()


def test_same_facts_handled_lawfully_may_be_closed_with_a_written_note(city: City) -> None:
    """Jinan art. 25."""
    case = step(
        case_in(State.CALLBACK, city),
        "close",
        "operator",
        city,
        satisfaction="1",
        note="同一事实和理由已依法办理终结",
    )
    assert case.state == State.CLOSED


def test_a_complaint_never_reaches_the_unit_complained_of(city: City) -> None:
    """Jinan art. 32."""
    case = step(received(accused_unit=city.units["utilities"].pk), "accept", "dispatcher", city, matter=LAMP)
    with pytest.raises(Forbidden):
        step(case, "dispatch", "dispatcher", city)
    case = step(case, "dispatch", "dispatcher", city, lead_unit="heating", opinion="回避被投诉单位")
    assert not scope_of(city.people["handler"]).allows("case.view", case)
    assert scope_of(city.people["stoker"]).allows("case.view", case)


def test_who_accepts_an_order_enters_the_unit_complained_of(city: City) -> None:
    """Jinan art. 32: the resident need not know its name."""
    case = step(received(), "accept", "dispatcher", city, matter=LAMP, accused_unit="utilities")
    assert not scope_of(city.people["handler"]).allows("case.view", case)
    with pytest.raises(Forbidden):
        step(case, "dispatch", "dispatcher", city)


def test_a_complaint_is_not_dispatched_at_once_by_the_catalogue(city: City) -> None:
    """Jinan art. 32: it waits for a person, even where the operator asked for dispatch."""
    made = intake.create(
        call(matter=LAMP, accused_unit=city.units["utilities"].pk, dispatch=True),
        actor=city.people["operator"],
        role="operator",
        now=NOW,
    )
    assert made.state == State.ACCEPTED


def test_a_person_with_an_interest_is_recused(city: City) -> None:
    """Jinan art. 32."""
    case = received(accused_unit=city.units["utilities"].pk)
    assert scope_of(city.people["dispatcher"]).allows("case.view", case)
    Interest.objects.create(person=city.people["dispatcher"], unit=city.units["utilities"])
    assert not scope_of(city.people["dispatcher"]).allows("case.view", case)
    with pytest.raises(NotFound):
        step(case, "accept", "dispatcher", city, matter=LAMP)


def test_a_requester_may_ask_for_secrecy_and_the_unit_gets_the_matter_only(city: City) -> None:
    """Jinan arts 16, 24; Weifang art. 11."""
    case = case_in(State.SIGNED, city, confidential=True)
    assert scope_of(city.people["handler"]).allows("case.view", case)
    assert not contacts.may_reveal(scope_of(city.people["handler"]), case)
    assert contacts.may_reveal(scope_of(city.people["operator"]), case)


def test_repeated_requests_are_joined_and_each_caller_keeps_number_clock_and_callback(city: City) -> None:
    """国办函〔2025〕66号 (重复诉求并单)."""
    main = case_in(State.DISPATCHED, city)
    other = step(received(phone="13900000000"), "merge", "dispatcher", city, main=main.number)
    assert other.state == State.MERGED
    assert other.number != main.number
    assert Clock.objects.filter(case=other, kind=ClockKind.REPLY, state=Clock.State.RUNNING).exists()
    main = step(main, "sign", "handler", city)
    main = step(main, "contact", "handler", city, how="phone")
    main = step(
        main, "reply", "handler", city, handling="已更换", public_reply="路灯已修好。", note="协办已到场"
    )
    main = step(main, "approve", "dispatcher", city)
    other.refresh_from_db()
    assert (other.state, other.public_reply) == (State.CALLBACK, "路灯已修好。")
    assert Clock.objects.filter(case=other, kind=ClockKind.CALLBACK, state=Clock.State.RUNNING).exists()
    assert step(other, "close", "operator", city, satisfaction="4").state == State.CLOSED
    main.refresh_from_db()
    assert main.state == State.CALLBACK


def test_a_merger_can_be_undone(city: City) -> None:
    """国办函〔2025〕66号: what is not the same matter gets its own way back."""
    case = step(case_in(State.MERGED, city), "unmerge", "dispatcher", city, reason="不是同一处路灯")
    assert (case.state, case.main, case.units) == (State.ACCEPTED, None, [])


def test_when_the_main_order_is_withdrawn_the_others_go_on(city: City) -> None:
    main = case_in(State.ACCEPTED, city)
    other = step(received(), "merge", "dispatcher", city, main=main.number)
    step(main, "withdraw", "operator", city, reason="来电要求撤回")
    other.refresh_from_db()
    assert (other.state, other.main) == (State.ACCEPTED, None)


def test_orders_are_not_merged_in_circles_or_into_closed_ones(city: City) -> None:
    first, second = case_in(State.ACCEPTED, city), case_in(State.ACCEPTED, city)
    third = step(received(), "merge", "dispatcher", city, main=second.number)
    for case, main in [(first, first), (first, third), (second, first), (first, case_in(State.CLOSED, city))]:
        with pytest.raises(Invalid) as e:
            step(case, "merge", "dispatcher", city, main=main.number)
        assert set(e.value.fields) == {"main"}


def test_an_order_one_may_not_see_cannot_be_merged_into(city: City) -> None:
    hidden = case_in(State.ACCEPTED, city)
    mine = received(place="990102001001001", lon=None, lat=None)
    with pytest.raises(Invalid) as e:
        step(mine, "merge", "east_dispatcher", city, main=hidden.number)
    assert set(e.value.fields) == {"main"}


def test_the_requester_may_withdraw_add_rate_and_appeal(city: City) -> None:
    """Jinan art. 15, Weifang arts 13 and 14: the right to progress and result."""
    case = case_in(State.SIGNED, city)
    engine.act_as_requester(case.code, "supplement", {"note": "旁边一盏也不亮"}, now=LATER)
    with pytest.raises(Forbidden):
        engine.act_as_requester(case.code, "reply", {}, now=LATER)
    done = case_in(State.CALLBACK, city)
    engine.act_as_requester(done.code, "rate", {"satisfaction": "2", "solved": "false"}, now=LATER)
    appealed = engine.act_as_requester(done.code, "appeal", {"note": "没有人来过"}, now=LATER)
    assert (appealed.satisfaction, appealed.solved, appealed.appealed_at) == (2, False, LATER)
    assert appealed.state == State.CALLBACK
    answered = step(Case.objects.get(pk=done.pk), "answer_appeal", "dispatcher", city, answer="已安排复查")
    assert answered.appealed_at is None


def test_no_answer_to_an_appeal_that_nobody_made_and_no_end_to_what_never_began(city: City) -> None:
    closed, open_ = case_in(State.CLOSED, city), case_in(State.SIGNED, city)
    scope = city.scope("duty_officer")
    assert not {"answer_appeal", "end_supervision"} & {
        r.action for c in (closed, open_) for r in engine.actions_for(c, scope)
    }
    with pytest.raises(Conflict):
        step(case_in(State.CLOSED, city), "answer_appeal", "dispatcher", city, answer="无")


def test_splitting_makes_an_order_of_each_matter_with_the_same_requester(city: City) -> None:
    case = received()
    made = engine.split(
        case.number,
        [{"title": "垃圾", "content": "小区门口垃圾没人清"}, {"title": "噪声", "content": "夜里施工太吵"}],
        actor=city.people["dispatcher"],
        scope=city.scope("dispatcher"),
        version=case.version,
        now=LATER,
    )
    assert [m.parent for m in made] == [case, case]
    assert {m.contact.phone_mask for m in made} == {"138****0000"}
    assert [contacts.open_phone(m.contact) for m in made] == ["13800000000"] * 2
    assert len({case.code, *(m.code for m in made)}) == 3


def test_an_accepted_case_without_a_rule_waits_in_the_queue_until_a_unit_is_named(city: City) -> None:
    """国办函〔2025〕66号: no match is an alarm and a queue."""
    case = step(received(), "accept", "dispatcher", city, matter=NO_RULE)
    waiting = queries.visible(city.scope("dispatcher")).filter(queries.queue(queries.Queue.NO_RULE, NOW))
    assert list(waiting) == [case]
    step(case, "dispatch", "dispatcher", city, lead_unit="utilities", opinion="暂由城管局牵头")
    assert not waiting.all().exists()


def test_a_warning_meanwhile_does_not_cost_the_handler_what_they_wrote(city: City) -> None:
    """A version behind only by warnings is no conflict: nothing that a person decides on has changed."""
    case = case_in(State.DISPATCHED, city)
    seen = case.version
    append(case, "clock.warned", {"clock": "sign"}, actor=None, role="system", now=LATER)
    case.save()
    case.version = seen
    assert step(case, "sign", "handler", city, LATER).state == State.SIGNED
    stale = Case.objects.get(pk=case.pk)
    stale.version = seen
    with pytest.raises(Conflict):
        step(stale, "contact", "handler", city, LATER, how="phone")


# --- ways around a rule, closed


@pytest.mark.parametrize(
    ("state", "action", "fields"),
    [
        (State.DISPATCHED, "sign", {}),
        (State.DISPATCHED, "return", {"reason": "不归我们", "basis": "三定方案"}),
        (State.SIGNED, "contact", {"how": "phone"}),
        (State.SIGNED, "extend", {"days": "3", "reason": "等待配件", "person_told": True}),
        (State.SIGNED, "reply", {"handling": "无", "public_reply": "已办。"}),
        (State.SUSPENDED, "resume", {}),
        (State.REWORK, "redo", {}),
    ],
)
def test_who_assists_only_assists(city: City, state: State, action: str, fields: dict[str, object]) -> None:
    """Beijing art. 14 (首接负责制): the lead unit signs, contacts, replies and objects; a helper reports to it."""
    case = case_in(state, city)
    helper = city.scope("helper")
    assert helper.allows("case.view", case)
    assert action not in {row.action for row in engine.actions_for(case, helper)}
    with pytest.raises(Forbidden):
        step(case, action, "helper", city, **fields)
    assert action in {row.action for row in engine.actions_for(case, city.scope("handler"))}


def test_a_helper_is_offered_its_report_and_nothing_else(city: City) -> None:
    """Beijing art. 14."""
    case = case_in(State.SIGNED, city)
    assert [row.action for row in engine.actions_for(case, city.scope("helper"))] == ["assist"]


def test_a_unit_asked_to_assist_again_owes_a_new_report_and_the_others_hear_nothing(city: City) -> None:
    """Beijing art. 14."""
    case = step(case_in(State.SIGNED, city), "assist", "helper", city, assist_reply="已派员更换灯泡")
    case = step(case, "ask_assist", "dispatcher", city, LATER, assist_unit="heating", reason="请协助")
    told = Message.objects.filter(case=case, template="assist_unit", created_at=LATER)
    assert [m.to_unit for m in told] == [city.units["heating"]]
    again = LATER + dt.timedelta(hours=1)
    case = step(case, "ask_assist", "dispatcher", city, again, assist_unit="lighting", reason="又不亮了")
    assert Assist.objects.get(case=case, unit=city.units["lighting"]).replied_at is None
    with pytest.raises(Invalid) as e:
        step(case, "ask_assist", "dispatcher", city, again, assist_unit="utilities", reason="请协助")
    assert set(e.value.fields) == {"assist_unit"}


def test_a_department_duty_is_not_pushed_down_as_assistance(city: City) -> None:
    """Beijing art. 17, Weifang art. 24."""
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid) as e:
        step(case, "ask_assist", "dispatcher", city, assist_unit="street", reason="就近协助")
    assert set(e.value.fields) == {"assist_unit"}


def test_the_unit_does_not_suspend_its_own_order(city: City) -> None:
    """Beijing arts 12 and 15: more time is the service's to give."""
    from tests.factories import CITY, post

    post(city.people["dispatcher"], "handler", CITY, city.units["utilities"])
    with pytest.raises(Forbidden):
        step(case_in(State.SIGNED, city), "suspend", "dispatcher", city, reason="等", until="2026-05-01")


def test_small_extensions_do_not_add_up_to_a_long_one(city: City) -> None:
    """Shandong 2020."""
    case = case_in(State.EXTEND_REQ, city)
    case = step(case, "grant_extension", "dispatcher", city, days="8")
    ask = {"reason": "仍在等待配件", "person_told": True}
    with pytest.raises(Invalid) as e:
        step(case, "extend", "handler", city, days="3", **ask)
    assert set(e.value.fields) == {"days"}
    case = step(case, "extend", "handler", city, days="2", **ask)
    case = step(case, "grant_extension", "dispatcher", city, days="2")
    with pytest.raises(Invalid) as e:
        step(case, "extend", "handler", city, days="1", **ask)
    assert set(e.value.fields) == {"days"}


def test_what_the_requester_answered_online_is_not_called_away(city: City) -> None:
    """Jinan art. 27: a bad evaluation goes back, whatever is entered after it."""
    case = case_in(State.CALLBACK, city)
    engine.act_as_requester(case.code, "rate", {"satisfaction": "1", "solved": "false"}, now=LATER)
    case.refresh_from_db()
    for entered in ("0", "5"):
        with pytest.raises(Invalid) as e:
            step(case, "close", "operator", city, satisfaction=entered)
        assert set(e.value.fields) == {"note"}
    case = step(case, "close", "operator", city, satisfaction="0", note="多次未接通，同一事实已依法办理终结")
    assert (case.satisfaction, case.solved) == (1, False)


def test_who_wrote_the_reply_does_not_call_back_about_it(city: City) -> None:
    """Jinan art. 27."""
    from tests.factories import CITY, post

    post(city.people["handler"], "operator", CITY, city.units["hotline"])
    with pytest.raises(Forbidden):
        step(case_in(State.CALLBACK, city), "close", "handler", city, satisfaction="5")


def test_staff_who_withdraw_for_the_requester_say_how_they_asked(city: City) -> None:
    case = case_in(State.SIGNED, city)
    with pytest.raises(Invalid) as e:
        step(case, "withdraw", "operator", city)
    assert set(e.value.fields) == {"reason"}
    assert engine.act_as_requester(case.code, "withdraw", {}, now=LATER).state == State.WITHDRAWN


def test_what_no_unit_handled_is_not_sent_back_into_nowhere(city: City) -> None:
    """Jinan art. 27: rework has a unit that does it."""
    case = step(case_in(State.ANSWERED, city), "callback_answered", "operator", city)
    with pytest.raises(Conflict):
        step(case, "send_back", "dispatcher", city, reason="未解决")


def test_supervision_at_callback_counts_as_rework_and_asks_for_a_new_contact(city: City) -> None:
    """Weifang art. 26, Beijing art. 15."""
    case = case_in(State.CALLBACK, city)
    engine.act_as_requester(case.code, "rate", {"satisfaction": "2"}, now=LATER)
    case.refresh_from_db()
    ground = {"level": "daily", "supervision_ground": "unsolved", "opinion": "应解决未解决"}
    case = step(case, "supervise", "supervisor", city, LATER, **ground)
    assert (case.reworks, case.satisfaction) == (1, None)
    running = Clock.objects.filter(case=case, state=Clock.State.RUNNING).values_list("kind", flat=True)
    assert set(running) == {"contact", "reply"}
    with pytest.raises(Invalid):
        step(
            case, "reply", "handler", city, LATER, handling="再修", public_reply="已修好。", note="协办已到场"
        )


def test_rework_has_a_limit_for_the_new_contact(city: City) -> None:
    """Beijing art. 15."""
    case = case_in(State.REWORK, city)
    assert Clock.objects.filter(case=case, kind=ClockKind.CONTACT, state=Clock.State.RUNNING).count() == 1


def test_an_appeal_is_answered_before_the_archive(city: City) -> None:
    """Jinan art. 15."""
    case = case_in(State.CLOSED, city)
    engine.act_as_requester(case.code, "appeal", {"note": "没有人来过"}, now=LATER)
    case.refresh_from_db()
    with pytest.raises(Conflict):
        step(case, "archive", "duty_officer", city)
    case = step(case, "answer_appeal", "dispatcher", city, answer="已安排复查")
    assert step(case, "archive", "duty_officer", city).state == State.ARCHIVED


def test_closing_ends_supervision(city: City) -> None:
    """Nobody is supervised over what is closed; the history keeps that somebody was."""
    ground = {"level": "listed", "supervision_ground": "overdue", "opinion": "限三日内办结"}
    case = step(case_in(State.REPLIED, city), "supervise", "supervisor", city, **ground)
    case = step(case, "approve", "dispatcher", city)
    case = step(case, "close", "operator", city, satisfaction="5")
    case = step(case, "reopen", "duty_officer", city, reason="又不亮了")
    assert case.supervision == Supervision.NONE


@pytest.mark.parametrize("state", [State.CALLBACK, State.ANSWERED])
def test_nothing_is_merged_into_an_order_whose_reply_has_gone_out(city: City, state: State) -> None:
    """国办函〔2025〕66号: it would wait there for a reply that never comes."""
    main = case_in(state, city)
    with pytest.raises(Invalid) as e:
        step(received(), "merge", "dispatcher", city, main=main.number)
    assert set(e.value.fields) == {"main"}


def test_who_gets_the_main_order_gets_what_was_merged_into_it_and_who_loses_it_loses_both(city: City) -> None:
    main = case_in(State.DISPATCHED, city)
    other = step(received(), "merge", "dispatcher", city, main=main.number)
    assert city.scope("handler").allows("case.view", other)
    main = step(main, "return", "handler", city, reason="不属本单位职责", basis="三定方案")
    step(main, "redispatch", "dispatcher", city, lead_unit="heating", reason="改由供热中心办理")
    other.refresh_from_db()
    assert other.lead_unit == city.units["heating"]
    assert not city.scope("handler").allows("case.view", other)
    assert city.scope("stoker").allows("case.view", other)


def test_a_merged_order_leaves_the_queue_of_those_without_a_unit(city: City) -> None:
    main = case_in(State.ACCEPTED, city)
    case = step(received(), "accept", "dispatcher", city, matter=NO_RULE)
    step(case, "merge", "dispatcher", city, main=main.number)
    assert not queries.visible(city.scope("dispatcher")).filter(queries.queue(queries.Queue.NO_RULE, NOW))


def test_after_a_merger_is_undone_the_helpers_of_before_are_gone(city: City) -> None:
    main = case_in(State.ACCEPTED, city)
    case = step(case_in(State.SIGNED, city), "merge", "dispatcher", city, main=main.number)
    case = step(case, "unmerge", "dispatcher", city, reason="不是同一处")
    case = step(case, "dispatch", "dispatcher", city, lead_unit="heating", opinion="供热管沟塌陷所致")
    assert case.units == [city.units["heating"].pk]


def test_the_county_above_the_unit_complained_of_gets_no_copy(city: City) -> None:
    """Jinan art. 32: not even the number of the order."""
    from tests.factories import WEST, Unit, unit

    office = unit("west-market", "东原区市场监管局", Unit.Kind.DEPARTMENT, WEST, city.units["west"])
    case = step(received(accused_unit=office.pk), "accept", "dispatcher", city, matter=RUBBISH)
    step(case, "dispatch", "dispatcher", city, lead_unit="street", opinion="由街道核实")
    assert not Message.objects.filter(case=case, to_unit=city.units["west"]).exists()


def test_an_interest_in_a_unit_is_one_in_all_that_belongs_to_it(city: City) -> None:
    """Jinan art. 32."""
    case = received(accused_unit=city.units["street"].pk)
    Interest.objects.create(person=city.people["dispatcher"], unit=city.units["west"])
    assert not city.scope("dispatcher").allows("case.view", case)


def test_each_part_of_a_split_message_is_told_to_its_requester_once(city: City) -> None:
    """Jinan art. 15: the code is their way to its progress."""
    case = received()
    parts = [{"title": "垃圾", "content": "小区门口垃圾没人清"}]
    who = {"actor": city.people["dispatcher"], "scope": city.scope("dispatcher"), "now": LATER}
    made = engine.split(case.number, parts, version=case.version, key="the-same-key", **who)
    again = engine.split(case.number, parts, version=case.version, key="the-same-key", **who)
    assert [m.pk for m in again] == [m.pk for m in made]
    assert Case.objects.filter(parent=case).count() == 1
    assert Message.objects.filter(case=made[0], template="received", to_unit=None).count() == 1
    with pytest.raises(Conflict):
        engine.split(case.number, [{"content": "别的事"}], version=case.version, key="the-same-key", **who)
    silent = received(anonymous=True, phone="")
    unheard = engine.split(silent.number, parts, version=silent.version, **who)
    assert not Message.objects.filter(case=unheard[0]).exists()


def test_who_cannot_be_reached_is_replied_to_after_three_recorded_attempts(city: City) -> None:
    """Beijing art. 15: an attempt is no contact, and somebody who does not answer is still owed a reply."""
    case = case_in(State.SIGNED, city)
    written = {"handling": "更换灯泡", "public_reply": "路灯已修好。", "note": "照明公司已到场"}
    for _attempt in range(3):
        with pytest.raises(Invalid):
            step(case, "reply", "handler", city, **written)
        case = step(case, "try_contact", "handler", city, note="无人接听")
    assert Clock.objects.get(case=case, kind=ClockKind.CONTACT).state == Clock.State.RUNNING
    assert step(case, "reply", "handler", city, **written).state == State.REPLIED


def test_an_urgency_that_came_with_a_matter_goes_with_it_and_one_that_a_person_gave_stands(
    city: City,
) -> None:
    """What a model proposed decides nothing: the limits follow the matter that a person decided."""
    Matter.objects.filter(code=RUBBISH).update(urgency="urgent")
    snapshot.forget()
    wrong = step(received(matter=RUBBISH), "accept", "dispatcher", city, matter=LAMP)
    assert wrong.urgency == "ordinary"
    assert Event.objects.filter(case=wrong).order_by("-seq")[0].body["urgency"] == "ordinary"
    right = step(received(matter=LAMP), "accept", "dispatcher", city, matter=RUBBISH)
    assert right.urgency == "urgent"
    given = step(received(matter=LAMP, urgency="critical"), "accept", "dispatcher", city, matter=RUBBISH)
    assert given.urgency == "critical"


def test_who_is_answered_at_once_is_told_where_the_answer_stands(city: City) -> None:
    """Jinan art. 15: the requester has a right to the result."""
    case = step(received(nature=Nature.INQUIRY.value), "answer", "operator", city, answer="工作日均可办理。")
    assert Message.objects.filter(case=case, template="answered", to_unit=None).count() == 1


def test_a_finding_goes_its_whole_way(city: City) -> None:
    """Reported on the round and settled on the spot, or dispatched, dealt with and verified."""
    worker = city.people["grid_worker"]

    def finding() -> Case:
        new = intake.NewCase(
            kind="grids.finding", nature="finding", content="井盖松动", channel="grid", place=GRID
        )
        made = intake.create(new, actor=worker, role="grid_worker", now=NOW)
        return Case.objects.get(pk=made.id)

    spot = finding()
    with pytest.raises(Forbidden):  # only by who found it
        step(spot, "settle", "operator", city, handling="已复位")
    spot = step(spot, "settle", "grid_worker", city, handling="已复位")
    assert spot.state == State.ANSWERED
    waiting = queries.visible(city.scope("operator")).filter(queries.queue(queries.Queue.TO_CLOSE, NOW))
    assert list(waiting) == [spot]
    assert step(spot, "close", "operator", city).state == State.CLOSED

    case = step(finding(), "accept", "dispatcher", city, matter=LAMP)
    case = step(case, "dispatch", "dispatcher", city)
    assert not Message.objects.filter(case=case, to_unit=None).exists()
    case = step(case, "sign", "handler", city)
    case = step(case, "reply", "handler", city, handling="已加固", public_reply="已加固。", note="协办已到场")
    case = step(case, "approve", "dispatcher", city)
    with pytest.raises(Conflict):  # nobody stands behind it who could be called back
        step(case, "close", "operator", city, satisfaction="5")
    with pytest.raises(Invalid):  # not well yet: sent back, or explained
        step(case, "verify", "operator", city, solved=False)
    case = step(case, "verify", "operator", city, solved=True)
    assert (case.state, case.solved) == (State.CLOSED, True)
    with pytest.raises(Conflict):  # a caller's order is not settled by whoever wrote it down
        made = intake.create(call(), actor=city.people["operator"], role="operator", now=NOW)
        step(Case.objects.get(pk=made.id), "settle", "operator", city, handling="已复位")
    assert all(e.body["to"] for e in Event.objects.filter(case=case))


@pytest.mark.parametrize("field", ["lead_unit", "assist_units", "matter", "place", "opinion"])
def test_a_character_that_the_database_cannot_hold_is_refused_in_words(city: City, field: str) -> None:
    case = case_in(State.ACCEPTED, city)
    entered = {"lead_unit": "utilities", "opinion": "由其牵头", field: "\x00?"}
    try:
        step(case, "dispatch", "dispatcher", city, **entered)
    except Invalid as e:
        assert set(e.fields) == {field}


def test_a_key_is_for_one_request(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    who = {"actor": city.people["handler"], "scope": city.scope("handler"), "now": LATER, "key": "one-key"}
    signed = engine.act(case.number, "sign", {}, version=case.version, **who)
    again = engine.act(case.number, "sign", {}, version=case.version, **who)
    assert again.version == signed.version
    with pytest.raises(Conflict):
        engine.act(case.number, "contact", {"how": "phone"}, version=signed.version, **who)


@pytest.mark.parametrize("changes", [{"anonymous": True, "phone": ""}, {"reply_wanted": False}])
def test_no_limit_runs_for_contacting_nobody(city: City, changes: dict[str, object]) -> None:
    """Jinan art. 16: who wants to hear nothing is not called, and no unit is late for not calling."""
    by_steps = case_in(State.DISPATCHED, city, **changes)
    made = intake.create(
        call(matter=LAMP, dispatch=True, **changes), actor=city.people["operator"], role="operator", now=NOW
    )
    for case_id in (by_steps.pk, made.id):
        kinds = set(Clock.objects.filter(case=case_id).values_list("kind", flat=True))
        assert kinds == {"dispatch", "sign", "reply", "return"}


def test_a_person_of_the_lead_unit_is_put_in_charge_and_nobody_else(city: City) -> None:
    """Beijing art. 14: the unit that received it handles it itself."""
    case = case_in(State.DISPATCHED, city)
    case = step(case, "assign", "handler", city, person=str(city.people["colleague"].pk))
    assert (case.state, case.handler) == (State.DISPATCHED, city.people["colleague"])
    event = Event.objects.get(case=case, action="assign")
    assert event.body["person"] == city.people["colleague"].pk
    case = step(case, "assign", "colleague", city, person="handler")  # by user name, as a program may
    assert case.handler == city.people["handler"]
    for stranger in ("stoker", "dispatcher", "helper", "nobody"):
        with pytest.raises(Invalid) as e:
            step(case, "assign", "handler", city, person=stranger)
        assert set(e.value.fields) == {"person"}
    with pytest.raises(Forbidden):  # who assists only assists
        step(case, "assign", "helper", city, person="colleague")
