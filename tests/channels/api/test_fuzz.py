"""Every operation of the OpenAPI document, asked with whatever the document allows and with what it does not.

A bounded, repeatable run; ``make fuzz`` asks for longer and with new numbers each time (LUCHENG_FUZZ_EXAMPLES).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lucheng.channels.api import auth
from lucheng.core.cases import codes
from lucheng.core.cases.models import State
from lucheng.core.revisions import snapshot
from lucheng.wsgi import application
from tests import factories

pytestmark = pytest.mark.django_db

EXAMPLES = os.environ.get("LUCHENG_FUZZ_EXAMPLES")
DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
SCHEMA: Any = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = application
OPERATIONS: dict[str, APIOperation[Any, Any, Any, Any]] = {
    o.definition.raw["operationId"]: o for o in (found.ok() for found in SCHEMA.get_all_operations())
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
READERS = ("dispatcher", "handler", "auditor", None)


@dataclass
class World:
    """What is there to be found: keys of readers, and the names that an address may hold."""

    keys: dict[str, str]
    cases: list[tuple[str, str, int]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        with (
            connection.cursor() as cursor
        ):  # finding something to ask may take longer than a request may wait
            cursor.execute("set local idle_in_transaction_session_timeout = 0")
        city = factories.city()
        auth.forget()
        states = (State.RECEIVED, State.DISPATCHED, State.SIGNED, State.CALLBACK, State.CLOSED)
        cases = [factories.received() if s is State.RECEIVED else factories.case_in(s, city) for s in states]
        keys = {name: factories.key(city.people[name]) for name in READERS if name is not None}
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        yield World(keys, [(c.number, codes.written(c.code), c.version) for c in cases])
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        transaction.set_rollback(True)
    snapshot.forget()
    auth.forget()


def test_every_operation_of_the_document_is_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values()) > 20


def _asked() -> Iterator[Any]:
    """Each operation with what its document allows, and, where it takes anything, with what it does not."""
    for name, operation in OPERATIONS.items():
        yield pytest.param(name, GenerationMode.POSITIVE, id=name)
        takes = operation.definition.raw.get("parameters") or "requestBody" in operation.definition.raw
        if takes and name != "track":  # any text may be asked for as a code
            yield pytest.param(name, GenerationMode.NEGATIVE, id=f"{name}, wrongly")


@pytest.mark.parametrize(("name", "mode"), _asked())
def test_an_operation_answers_as_the_document_says_whatever_it_is_asked(
    name: str, mode: GenerationMode, world: World
) -> None:
    operation = OPERATIONS[name]

    @settings(
        max_examples=int(EXAMPLES or 12),
        derandomize=EXAMPLES is None,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate] + ([Phase.shrink] if EXAMPLES else []),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        reader = data.draw(st.sampled_from(READERS))
        number, code, version = data.draw(st.sampled_from(world.cases))
        checks = CHECKS
        if data.draw(st.booleans()):  # else nearly every address would name nothing
            # What was wrong may have been just what is put right here: the answer need not be a refusal.
            checks = [check for check in CHECKS if check is not negative_data_rejection]
            case.path_parameters |= {
                k: v for k, v in {"number": number, "code": code}.items() if k in case.path_parameters
            }
            if "If-Match" in case.headers:
                case.headers["If-Match"] = f'"{version}"'
        headers = {"Authorization": f"Bearer {world.keys[reader]}"} if reader is not None else {}
        # As in Django's own TestCase: a contact is shown only once that is committed, and this block lets it pass.
        undone: Any = transaction.atomic()
        undone._from_testcase = True
        with undone:
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        snapshot.forget()
        case.validate_response(answer, checks=checks)

    ask()
