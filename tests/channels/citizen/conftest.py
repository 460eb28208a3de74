from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from tests import factories


@pytest.fixture
def city(db: None) -> factories.City:
    return factories.city()


class Resident:
    """A resident with a browser: fills one form after the other and keeps where the last answer led."""

    def __init__(self) -> None:
        self.client = Client(headers={"accept-language": "zh-CN"})
        self.draft = ""

    def start(self, text: str, **more: object) -> HttpResponse:
        page = self.client.get("/").content.decode()
        found = re.search(r'name="draft" value="([0-9a-f]{32})"', page)
        assert found
        self.draft = found[1]
        return self.say(text, **more)

    def say(self, text: str, **more: object) -> HttpResponse:
        return self.client.post("/", {"draft": self.draft, "text": text, **more})

    def at(self, step: str, **fields: object) -> HttpResponse:
        return self.client.post(f"/report/{self.draft}/{step}/", fields)

    def choices(self) -> list[str]:
        """What the place page offers."""
        page = self.client.get(f"/report/{self.draft}/place/").content.decode()
        return re.findall(r'name="where" value="([^"]*)"', page)

    def report(self, text: str, **you: object) -> str:
        """The whole way with the first place offered; the tracking code as written."""
        assert self.start(text).status_code == 302
        assert self.at("place", where=self.choices()[0]).status_code == 302
        self.client.post(f"/report/{self.draft}/nearby/", {"same": ""})
        sent = self.at("you", **{"nature": "help", **you})
        assert sent.status_code == 302, sent.content.decode()
        return sent["Location"].split("/")[2]


@pytest.fixture
def resident(city: factories.City) -> Resident:
    return Resident()
