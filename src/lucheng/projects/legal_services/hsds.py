"""The directory of outlets in the words of the Human Services Data Specification (Open Referral HSDS 3.0), which
directories of other cities and makers of maps read.

Each outlet is one service at one location, given by the unit that runs it (by itself where none is named). Identifiers
are UUIDs made from codes (RFC 9562, version 5), so that they stay what they are from one day to the next. A turn on the
roster is shown without the lawyer's name, which nobody needs who comes to an outlet; a village's adviser with it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from lucheng.core.places import names
from lucheng.core.registers.models import EntryQuerySet
from lucheng.projects.legal_services.models import DutyLawyer, LegalAdviser, LegalOutlet, Level, Service
from lucheng.web.addresses import absolute

VERSION = "3.0"
DOCUMENT = "https://raw.githubusercontent.com/openreferral/specification/3.0/schema/openapi.json"
PROFILE = "https://docs.openreferral.org/en/3.0/hsds/"

#: All identifiers are made from this one: the address of the specification.
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://docs.openreferral.org/")
_TAXONOMY = "Lucheng legal services"
_OFFSET = "+08:00"  # all of China

#: What stands before the name of a city in an address, by the first two digits of its code (GB/T 2260).
_PROVINCES = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区",
    "21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
    "31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省", "35": "福建省", "36": "江西省", "37": "山东省",
    "41": "河南省", "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区", "46": "海南省",
    "50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省", "54": "西藏自治区",
    "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
}  # fmt: skip

Json = dict[str, Any]


def ident(what: str, code: str) -> str:
    """The identifier of a thing of this kind with this code.

    >>> ident("service", "FL-1502") == ident("service", "FL-1502") != ident("location", "FL-1502")
    True
    """
    return str(uuid.uuid5(_SPACE, f"{what}/{code}"))


#: The kinds of service by the identifiers of their terms.
TERMS: Mapping[str, Service] = {ident("term", service.value): service for service in Service}


def outlets(day: dt.date) -> EntryQuerySet[Any]:
    """What the directory shows: the outlets in force on ``day``."""
    return LegalOutlet.objects.as_of(day).select_related("unit")


def about() -> Json:
    """What this address serves."""
    with translation.override(settings.LANGUAGE_CODE):
        described = _("Directory of public legal services: centres, stations and rooms")
    return {
        "version": VERSION,
        "profile": PROFILE,
        "openapi_url": DOCUMENT,
        "description": described,
        "publisher": {"name": names.place_name(names.root()), "website": absolute("/")},
    }


def brief(outlet: LegalOutlet) -> Json:
    """An outlet as it stands in a list: what there is one of."""
    organisation = _organisation(outlet)
    with translation.override(settings.LANGUAGE_CODE):
        offered = "、".join(str(Service(value).label) for value in outlet.services)
    return {
        "id": ident("service", outlet.code),
        "organization_id": organisation["id"],
        "name": outlet.name,
        "description": offered,
        "status": "active",
        "organization": organisation,
    }


def full(outlets: Sequence[LegalOutlet], day: dt.date) -> list[Json]:
    """Outlets with all that belongs to them, in three queries however many they are."""
    turns: dict[int, list[Any]] = {}
    for turn in DutyLawyer.objects.as_of(day).filter(outlet__in=outlets).order_by("begins", "code"):
        turns.setdefault(turn.outlet_id, []).append(turn)
    villages = [o.place for o in outlets if o.level == Level.VILLAGE]
    advisers: dict[str, list[Any]] = {}
    for adviser in LegalAdviser.objects.as_of(day).filter(place__in=villages).order_by("code"):
        advisers.setdefault(adviser.place, []).append(adviser)
    with translation.override(settings.LANGUAGE_CODE):
        return [
            _full(o, turns.get(o.pk, []), advisers.get(o.place, []) if o.level == Level.VILLAGE else [], day)
            for o in outlets
        ]


def _full(outlet: LegalOutlet, turns: Sequence[Any], advisers: Sequence[Any], day: dt.date) -> Json:
    service = ident("service", outlet.code)
    location = _location(outlet, day)
    found = brief(outlet)
    found["organization"] = _organisation(outlet)
    found["phones"] = _phones("service", outlet.code, outlet.phone)
    found["schedules"] = [
        *([{"id": ident("hours", outlet.code), "description": outlet.hours}] if outlet.hours else []),
        *(_schedule(turn) for turn in turns),
    ]
    found["service_areas"] = [
        {"id": ident("area", outlet.code), "name": names.place_name(outlet.place, day)},
    ]
    found["service_at_locations"] = [
        {
            "id": ident("at", outlet.code),
            "service_id": service,
            "location_id": location["id"],
            "location": location,
        }
    ]
    found["contacts"] = [
        {
            "id": ident("contact", adviser.code),
            "name": adviser.name,
            "title": str(adviser.get_standing_display()),
            "department": adviser.firm,
            "phones": _phones("contact", adviser.code, adviser.phone),
        }
        for adviser in advisers
    ]
    found["attributes"] = [
        {
            "id": ident("attribute", f"{outlet.code}/{value}"),
            "link_id": service,
            "link_entity": "service",
            "taxonomy_term_id": ident("term", value),
            "taxonomy_term": {
                "id": ident("term", value),
                "code": value,
                "name": str(Service(value).label),
                "description": str(Service(value).label),
                "taxonomy": _TAXONOMY,
                "language": "zh",
            },
        }
        for value in outlet.services
    ]
    return found


def _organisation(outlet: LegalOutlet) -> Json:
    unit = outlet.unit
    if unit is None:
        return {
            "id": ident("organization", f"outlet/{outlet.code}"),
            "name": outlet.name,
            "description": outlet.name,
        }
    return {
        "id": ident("organization", f"unit/{unit.code}"),
        "name": unit.name,
        "description": unit.name,
    }


def _location(outlet: LegalOutlet, day: dt.date) -> Json:
    """Where it is; its address where street, postcode and province are known, since the specification asks for all."""
    found: Json = {
        "id": ident("location", outlet.code),
        "location_type": "physical",
        "name": outlet.name,
    }
    if outlet.lon is not None and outlet.lat is not None:
        found |= {"latitude": outlet.lat, "longitude": outlet.lon}
    province = _PROVINCES.get(outlet.place[:2])
    if outlet.address and outlet.postcode and province:
        found["addresses"] = [
            {
                "id": ident("address", outlet.code),
                "address_1": outlet.address,
                "city": names.place_name(names.root(day), day),
                "state_province": province,
                "postal_code": outlet.postcode,
                "country": "CN",
                "address_type": "physical",
            }
        ]
    return found


def _phones(what: str, code: str, number: str) -> list[Json]:
    return [{"id": ident("phone", f"{what}/{code}"), "number": number, "type": "voice"}] if number else []


def _schedule(turn: DutyLawyer) -> Json:
    found = {
        "id": ident("schedule", turn.code),
        "freq": "WEEKLY",
        "interval": 1,
        "dtstart": turn.valid_from.isoformat(),
        "valid_from": turn.valid_from.isoformat(),
        "byday": ",".join(turn.weekdays),
        "timezone": 8,
        "opens_at": f"{turn.begins}{_OFFSET}",
        "closes_at": f"{turn.ends}{_OFFSET}",
        "description": _("Lawyer on duty: %(firm)s") % {"firm": turn.firm},
    }
    if turn.valid_to is not None:
        found["valid_to"] = (turn.valid_to - dt.timedelta(days=1)).isoformat()
    return found
