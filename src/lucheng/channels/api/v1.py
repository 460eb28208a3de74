"""The first version of the API: its operations, how it answers errors, and the document that describes it."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from lucheng.channels.api import (
    audit,
    looks,
    overview,
    problems,
    processing,
    public,
    reference,
    registers,
    work,
)
from lucheng.channels.api import schemas as out
from lucheng.channels.api.auth import Key, Session
from lucheng.channels.api.create import NewCase, check_json
from lucheng.core.cases import intake

ROOT = "api/v1/"
_REF = "#/components/schemas/{name}"


class _Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return msgspec.json.encode(data)


class _Parser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        check_json(request.headers.get("Content-Type", ""))
        return msgspec.json.decode(request.body)


def _refuse(request: HttpRequest, error: Any) -> HttpResponse:
    return problems.response(problems.of(error))


class Api(NinjaAPI):
    """ninja's API, with our errors, and with the bodies that msgspec reads in its document."""

    def set_default_exception_handlers(self) -> None:
        self.add_exception_handler(Exception, _refuse)

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        response = super().create_temporal_response(request)
        response["Cache-Control"] = "no-store"
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **given: Any) -> OpenAPISchema:
        with translation.override("en"):
            document = super().get_openapi_schema(**given)
        _, shapes = msgspec.json.schema_components(
            (NewCase, intake.Created, public.Report), ref_template=_REF
        )
        problem = out.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes |= problem.pop("$defs") | {"Problem": problem, "Reported": _shape(out.Reported)}
        document["components"]["schemas"] |= shapes
        document["components"]["responses"] = {
            "Problem": {
                "description": "What went wrong, in the caller's language",
                "content": {problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
            }
        }
        paths = document["paths"]
        _bodies(paths[f"/{ROOT}cases"]["post"], "NewCase", "Created")
        _bodies(paths[f"/{ROOT}public/cases"]["post"], "Report", "Reported")
        for methods in paths.values():
            for operation in methods.values():
                operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
        return document


def _shape(schema: type[Schema]) -> dict[str, Any]:
    shape: dict[str, Any] = schema.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    shape.pop("$defs", None)  # named alike in the document already
    return shape


def _bodies(operation: dict[str, Any], takes: str, gives: str) -> None:
    """Describe a create: its body, and the two answers that it may have."""

    def content(name: str) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}

    operation["requestBody"] = {"content": content(takes), "required": True}
    operation["responses"] = {
        201: {"description": "Made", "content": content(gives)},
        200: {"description": "Made before with the same key", "content": content(gives)},
    }
    for parameter in operation["parameters"]:
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = True


api = Api(
    title="Lucheng",
    version="1",
    description=(
        "Cases of a city's social governance: make, list, look at and act on them, with the reference data they "
        "need. Errors are problem details (RFC 9457) in the language of the header Accept-Language (zh, en)."
    ),
    openapi_url="/openapi.json",
    docs_url=None,
    docs_decorator=require_safe,
    parser=_Parser(),
    renderer=_Renderer(),
    auth=[Key(), Session()],
    urls_namespace="api-v1",
)
for router in (
    work.router,
    overview.router,
    looks.router,
    registers.router,
    processing.router,
    audit.router,
    reference.router,
    reference.advice,
    public.router,
):
    api.add_router("", router)
