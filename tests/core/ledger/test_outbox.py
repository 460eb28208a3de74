"""A message is part of the step that causes it, leaves at least once with one id, and is given up only in the open."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases import codes
from lucheng.core.ledger import outbox, wording
from lucheng.core.ledger.models import Message
from lucheng.core.ledger.outbox import BATCH, LEASE, MAX_ATTEMPTS, deliver, enqueue, retry, text_of
from lucheng.core.organisation.models import Unit
from lucheng.core.privacy.models import Contact
from tests.core.ledger.stories import NOW, PHONE, case_of_a_broken_lamp
from tests.core.ledger.test_worker import worker_process

LATER = NOW + dt.timedelta(hours=3)


class Gateway:
    """A text message gateway on loopback: a real HTTP server that answers as told and remembers what it took."""

    def __init__(self) -> None:
        self.answers: list[int] = []  # the next answers; 200 when none is left
        self.taken: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.asked = threading.Event()
        self.hold: threading.Event | None = None  # answers only once this is set
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = gateway.answers.pop(0) if gateway.answers else 200
                gateway.headers.append({k.lower(): v for k, v in self.headers.items()})
                if answer < 300 or answer == 0:
                    gateway.taken.append(json.loads(body))
                gateway.asked.set()
                if gateway.hold is not None:
                    gateway.hold.wait(60)
                if answer == 0:  # took it, and the line broke before the answer
                    self.close_connection = True
                    return
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/sms"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    made = Gateway()
    settings.OUTGOING_HOSTS = {"127.0.0.1"}
    settings.SMS_GATEWAY_URL = made.url
    settings.SMS_GATEWAY_TOKEN = "secret"
    yield made
    made.close()


def received(**given: Any) -> Message:
    message = enqueue(case_of_a_broken_lamp(**given), "received", {}, NOW)
    assert message is not None
    return message


def a_unit(phone: str = "") -> Unit:
    return Unit.objects.create(
        code="utilities", name="城市管理局", kind=Unit.Kind.DEPARTMENT, place="9901", phone=phone
    )


@pytest.mark.django_db
def test_without_a_gateway_a_message_counts_as_sent_and_shows_what_would_have_left() -> None:
    message = received()
    assert deliver(NOW) == 1
    message.refresh_from_db()
    assert (message.state, message.sent_at, message.next_at) == ("sent", NOW, None)
    assert text_of(message) == (
        f"您的诉求已登记，工单编号{message.case.number}，查询码{codes.written(message.case.code)}。"
        "凭查询码和您号码的后四位，可在网上查看、补充或撤回，请妥善保管。"
    )
    assert deliver(LATER) == 0


@pytest.mark.django_db
def test_a_requester_reads_their_own_language_and_chinese_where_there_is_none() -> None:
    assert text_of(received(language="en")).startswith("We have your request: order number ")
    assert text_of(received(language="mn")).startswith("您的诉求已登记")


@pytest.mark.django_db
def test_a_unit_reads_the_order_number_and_never_the_tracking_code() -> None:
    case = case_of_a_broken_lamp()
    params = {"clock": "签收", "due": "2026-03-02 17:30"}
    message = enqueue(case, "clock_urged", params, NOW, channel="in_app", to_unit=a_unit().pk)
    assert message is not None
    assert (
        text_of(message)
        == f"催办：工单{case.number}“签收”时限已于2026-03-02 17:30到期，现已超期，请立即办理。"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("phone", [PHONE, "0471-5123456", "5123456"])
def test_no_text_holds_the_requesters_number_even_where_a_parameter_does(phone: str) -> None:
    case = case_of_a_broken_lamp(phone=phone)
    plain = phone.replace("-", "")
    message = enqueue(
        case,
        "clock_warned",
        {"clock": f"回访{plain}", "due": "9:00"},
        NOW,
        channel="in_app",
        to_unit=a_unit().pk,
    )
    assert message is not None
    text = text_of(message)
    assert plain not in text
    assert case.contact.phone_mask in text


@pytest.mark.django_db
def test_a_requester_without_a_number_is_sent_no_text_message() -> None:
    assert enqueue(case_of_a_broken_lamp(phone=""), "received", {}, NOW) is None
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_message_that_could_not_be_rendered_is_refused_where_it_is_caused() -> None:
    case = case_of_a_broken_lamp()
    with pytest.raises(KeyError):
        enqueue(case, "no_such_text", {}, NOW)
    with pytest.raises(ValueError, match="lacks due"):
        enqueue(case, "clock_warned", {"clock": "签收"}, NOW)


@pytest.mark.django_db
def test_a_message_lives_and_dies_with_the_transaction_that_causes_it() -> None:
    case = case_of_a_broken_lamp()
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(case, "received", {}, NOW)
        raise RuntimeError("the step fails after the message was written")
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_the_gateway_gets_number_text_and_an_id(gateway: Gateway) -> None:
    message = received()
    deliver(NOW)
    assert gateway.taken == [
        {
            "id": f"{message.pk}-{int(NOW.timestamp() * 1000)}",
            "to": PHONE,
            "text": text_of(message),
        }
    ]
    assert gateway.headers[0]["idempotency-key"] == gateway.taken[0]["id"]
    assert gateway.headers[0]["authorization"] == "Bearer secret"


@pytest.mark.django_db
def test_a_text_message_to_a_unit_goes_to_its_office_number(gateway: Gateway) -> None:
    enqueue(
        case_of_a_broken_lamp(), "dispatched_unit", {}, NOW, channel="sms", to_unit=a_unit("0471-6543210").pk
    )
    deliver(NOW)
    assert [m["to"] for m in gateway.taken] == ["0471-6543210"]


@pytest.mark.django_db
def test_in_app_messages_never_go_to_the_gateway(gateway: Gateway) -> None:
    enqueue(case_of_a_broken_lamp(), "dispatched_unit", {}, NOW, channel="in_app", to_unit=a_unit().pk)
    assert deliver(NOW) == 1
    assert gateway.headers == []


@pytest.mark.django_db
@pytest.mark.parametrize("answer", [500, 503, 429, 408, 0])
def test_a_gateway_in_trouble_is_tried_again_with_the_same_id(gateway: Gateway, answer: int) -> None:
    gateway.answers = [answer]
    message = received()
    deliver(NOW)
    message.refresh_from_db()
    assert (message.state, message.next_at) == ("waiting", NOW + outbox.FIRST_PAUSE)
    assert message.error
    assert PHONE not in message.error
    assert deliver(NOW) == 0
    deliver(LATER)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("sent", 2, "")
    assert len({h["idempotency-key"] for h in gateway.headers}) == 1


@pytest.mark.django_db
def test_a_gateway_that_has_the_id_already_counts_as_sent(gateway: Gateway) -> None:
    gateway.answers = [409]
    message = received()
    deliver(NOW)
    message.refresh_from_db()
    assert message.state == "sent"


@pytest.mark.django_db
@pytest.mark.parametrize("answer", [400, 401, 404, 302])
def test_a_final_refusal_is_given_up_at_once_and_says_why(gateway: Gateway, answer: int) -> None:
    gateway.answers = [answer]
    message = received()
    deliver(NOW)
    message.refresh_from_db()
    assert (message.state, message.error) == ("failed", f"the gateway answered {answer}")
    assert len(gateway.headers) == 1  # and a redirect was not followed


@pytest.mark.django_db
def test_pauses_double_until_the_message_is_given_up_and_it_can_be_tried_again(gateway: Gateway) -> None:
    gateway.answers = [503] * MAX_ATTEMPTS
    message = received()
    now, pauses = NOW, []
    while True:
        assert deliver(now) == 1
        message.refresh_from_db()
        if message.next_at is None:
            break
        pauses.append(message.next_at - now)
        now = message.next_at
    assert pauses == [outbox.FIRST_PAUSE * 2**n for n in range(MAX_ATTEMPTS - 1)]
    assert (message.state, message.attempts) == ("failed", MAX_ATTEMPTS)
    assert retry(now) == 1
    deliver(now)
    message.refresh_from_db()
    assert message.state == "sent"


@pytest.mark.django_db
def test_a_message_that_failed_while_the_clock_was_ahead_does_not_wait_for_that_day(gateway: Gateway) -> None:
    received()
    gateway.answers = [503]
    deliver(NOW + dt.timedelta(days=1))
    assert deliver(NOW) == 1  # the clock is right again
    assert len(gateway.taken) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_message_that_leaves_hours_late_says_of_when_it_is(gateway: Gateway, language: str) -> None:
    received(language=language)
    deliver(LATER)
    text = gateway.taken[0]["text"]
    assert f"{timezone.localtime(NOW):%Y-%m-%d %H:%M}" in text
    assert ("was delayed" if language == "en" else "发送有延误") in text
    received(language=language)
    deliver(NOW + dt.timedelta(minutes=50))
    assert f"{timezone.localtime(NOW):%H:%M}" not in gateway.taken[1]["text"]


@pytest.mark.django_db
def test_a_number_that_does_not_open_fails_alone(gateway: Gateway) -> None:
    bad, good = received(), received()
    Contact.objects.filter(case=bad.case).update(phone=b"\x01\x01 not what was sealed here at all")
    deliver(NOW)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.error) == ("waiting", "SealError")
    assert good.state == "sent"


class _PowerCut(BaseException):
    pass


@pytest.mark.django_db
def test_a_crash_between_sending_and_marking_sends_again_with_the_same_id(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received()
    with monkeypatch.context() as m:

        def cut(*args: Any, **kwargs: Any) -> None:
            raise _PowerCut

        m.setattr(outbox, "_mark", cut)
        with pytest.raises(_PowerCut):
            deliver(NOW)
    message.refresh_from_db()
    assert message.state == "waiting"
    assert deliver(NOW + LEASE - dt.timedelta(seconds=1)) == 0
    assert deliver(NOW + LEASE) == 1
    message.refresh_from_db()
    assert message.state == "sent"
    assert len(gateway.taken) == 2
    assert gateway.taken[0] == gateway.taken[1]


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_the_gateway_has_the_message_loses_nothing(gateway: Gateway) -> None:
    message = received()
    Message.objects.update(next_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))  # due by any real clock
    gateway.hold = threading.Event()
    process = worker_process(LUCHENG_SMS_URL=gateway.url, LUCHENG_OUTGOING_HOSTS="127.0.0.1")
    try:
        assert gateway.asked.wait(30)
    finally:
        process.kill()
        process.wait()
        gateway.hold.set()
    message.refresh_from_db()
    assert message.state == "waiting"
    assert message.next_at is not None
    assert deliver(message.next_at) == 1
    message.refresh_from_db()
    assert message.state == "sent"
    assert len(gateway.taken) == 2
    assert gateway.taken[0] == gateway.taken[1]


@pytest.mark.django_db
def test_a_message_that_always_kills_its_sender_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received()
    with monkeypatch.context() as m:

        def cut(*args: Any, **kwargs: Any) -> None:
            raise _PowerCut

        m.setattr("lucheng.core.ledger.adapters.HttpGateway.send", cut)
        for n in range(MAX_ATTEMPTS):
            with pytest.raises(_PowerCut):
                deliver(NOW + n * LEASE)
    deliver(NOW + MAX_ATTEMPTS * LEASE)
    message.refresh_from_db()
    assert (message.state, message.error) == ("failed", "every attempt ended without an answer")


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work_and_send_nothing_twice(gateway: Gateway) -> None:
    ids = {received().pk for _ in range(3 * BATCH)}
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        while deliver(NOW):
            pass
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(int(m["id"].split("-")[0]) for m in gateway.taken) == sorted(ids)
    assert not Message.objects.exclude(state="sent").exists()


@pytest.mark.django_db
def test_a_list_of_texts_makes_one_query_however_long() -> None:
    def shown() -> int:
        with CaptureQueriesContext(connection) as queries:
            texts = [text_of(m) for m in Message.objects.select_related("case__contact")]
        assert all(texts)
        return sum("revisions_revision" not in q["sql"] for q in queries.captured_queries)

    wording.wording("received")  # what people have worded is held in memory

    received()
    one = shown()
    for _ in range(99):
        received()
    assert shown() == one == 1
