"""What is never built (docs/rights.md): no route, model or column may even be named for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

NEVER = re.compile(
    r"face|facial|plate[_-]?(no|number|recog)|voice[_-]?print|biometric|iris|fingerprint"
    r"|risk[_-]?score|credit[_-]?score|blacklist|watch[_-]?list|key[_-]?person|suspect"
    r"|petitioner|caller[_-]?history|repeat[_-]?caller|profile"
    r"|track[_-]?(point|log)|trajectory|mileage|check[_-]?in|clock[_-]?in|attendance|online[_-]?time|points|leader[_-]?board|ranking"
    r"|id[_-]?card|identity[_-]?number|national[_-]?id|ethnic|religion|faith"
    r"|stream|playback|footage|snapshot[_-]?image",
    re.IGNORECASE,
)


def routes() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for p in patterns:
            if isinstance(p, URLResolver):
                yield from walk(p.url_patterns, prefix + str(p.pattern))
            else:
                yield prefix + str(p.pattern)

    return walk(get_resolver().url_patterns, "")


def columns() -> Iterator[str]:
    for model in apps.get_models():
        if not model.__module__.startswith("lucheng."):
            continue
        yield model.__name__
        for field in model._meta.get_fields():
            yield f"{model.__name__}.{field.name}"


def test_there_are_routes_and_columns_to_look_at() -> None:
    assert len(list(routes())) > 20
    assert len(list(columns())) > 100


@pytest.mark.parametrize("name", sorted(set(routes())))
def test_no_route_serves_what_is_never_built(name: str) -> None:
    assert not NEVER.search(name)


@pytest.mark.parametrize("name", sorted(set(columns())))
def test_no_record_keeps_what_is_never_built(name: str) -> None:
    assert not NEVER.search(name)


def test_the_cases_of_a_number_are_listed_to_its_holder_alone() -> None:
    """A list by number for anybody else would be a history of one caller; a copy of what is held is for that person."""
    source = Path(__file__).parents[1] / "src" / "lucheng"
    asking = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if re.search(
            r"phone_index(__|=|\b.*filter)|one_time\.cases_of|\bphone_indexes\(", file.read_text("utf-8")
        )
    }
    assert asking == {
        "core/privacy/contacts.py",  # seals them
        "core/privacy/one_time.py",  # lists them
        "core/privacy/export.py",  # copies them for the person, who is told of it, with a reason in the ledger
        "channels/citizen/mine.py",  # to whoever has typed the code that was sent to the number
    }


@pytest.mark.parametrize(
    "named", ["face_vector", "Person.risk_score", "grid/check-in/", "track_points", "id_card"]
)
def test_the_list_would_notice(named: str) -> None:
    assert NEVER.search(named)
