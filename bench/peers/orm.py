"""A plain Django view: reads the body, inserts the same rows through the ORM in one transaction, answers.

The middleware is what ``django-admin startproject`` writes; the connection pool is ours. None of the work.
"""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.orm_settings")

from django.core.wsgi import get_wsgi_application

app = get_wsgi_application()

from django.db import transaction  # noqa: E402 (Django is set up now)
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from bench.peers.rows import fresh  # noqa: E402
from lucheng.core.cases.models import Assist, Case  # noqa: E402
from lucheng.core.clocks.models import Clock  # noqa: E402
from lucheng.core.ledger.models import Event, Message  # noqa: E402
from lucheng.core.privacy.models import Contact  # noqa: E402
from lucheng.core.triage.models import Advice  # noqa: E402

_COLUMNS = {f.attname for f in Case._meta.concrete_fields}


@csrf_exempt
def create(request: HttpRequest) -> JsonResponse:
    v: dict[str, Any] = fresh(json.loads(request.body)["content"])
    now = v["created_at"]
    with transaction.atomic():
        case = Case.objects.create(
            **{n: x for n, x in v.items() if n in _COLUMNS and n != "fields"}, fields=json.loads(v["fields"])
        )
        if v["has_contact"]:
            Contact.objects.create(
                case=case,
                name=v["c_name"],
                phone=v["c_phone"],
                phone_mask=v["c_mask"],
                phone_index=v["c_index"],
            )
        Event.objects.bulk_create(
            Event(
                case=case,
                seq=e["seq"],
                at=now,
                actor_id=v["intake_by_id"],
                actor_role=v["role"],
                action=e["action"],
                body=e["body"],
                prev=bytes.fromhex(e["prev"]),
                hash=bytes.fromhex(e["hash"]),
            )
            for e in json.loads(v["events"])
        )
        Clock.objects.bulk_create(Clock(case=case, started_at=now, **c) for c in json.loads(v["clocks"]))
        Assist.objects.bulk_create(Assist(case=case, unit_id=u, asked_at=now) for u in v["assists"])
        Message.objects.bulk_create(
            Message(
                case=case,
                channel=m["channel"],
                template=m["template"],
                params=m["params"],
                to_unit_id=m["to_unit"],
                created_at=now,
                next_at=now,
            )
            for m in json.loads(v["messages"])
        )
        Advice.objects.create(
            case=case,
            model_version=v["a_model"],
            matter=v["a_matter"],
            matter_probability=v["a_probability"],
            place=v["a_place"],
            place_score=v["a_score"],
            decided_matter=v["a_decided_matter"],
            decided_place=v["a_decided_place"],
            decided_at=v["a_decided_at"],
        )
    return JsonResponse({"number": case.number, "code": case.code}, status=201)


urlpatterns = [path("api/v1/cases", create)]
