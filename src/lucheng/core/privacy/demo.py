"""This room's share of the demo city: the national retention rules, privacy notice and registers are in force, and the
registers hold an assessment and a processor of the invented city."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from lucheng.core.organisation.models import Person
from lucheng.core.privacy import notices, registers, retention
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import Said

_ASSESSMENT = "case-content-assessment"
_GATEWAY = "sms-gateway"


def fill(until: dt.datetime) -> None:
    """Put the national rules, notice and registers in force, and write what the invented city adds to the registers. A
    second time changes nothing."""
    retention.load(now=until)
    notices.load(now=until)
    registers.load(now=until)
    officer = Person.objects.get(username="privacy")
    day = timezone.localdate(until)
    for register, code, title, fields in _own(day):
        if not RegisterEntry.objects.filter(register=register, code=code).exists():
            registers.write(register, code, title, fields, by=officer, after=0, now=until)
    for code, name, named in (
        ("case-content", "assessments", _ASSESSMENT),
        ("text-messages", "processors", _GATEWAY),
    ):
        entry = registers.last(Register.PROCESSING, code, until)
        if entry.version == 1:
            registers.write(
                Register.PROCESSING,
                code,
                entry.title,
                {**entry.fields, name: [named]},
                by=officer,
                note="登记本市的评估和受托处理者",
                after=1,
                now=until,
            )


def _own(day: dt.date) -> list[tuple[Register, str, str, dict[str, Said]]]:
    """What only the city knows: an assessment made half a year before ``day``, a contract that ends soon after it."""
    return [
        (
            Register.ASSESSMENT,
            _ASSESSMENT,
            "诉求内容处理的影响评估",
            {
                "subject": "受理、派单、办理和答复中对诉求内容的处理，含本人自由书写的敏感个人信息。",
                "necessity": "办理诉求必须知道所述事项和地点；不要求身份证号码，可以匿名；内容只为办理这一件诉求使用。",
                "effects": "泄露时诉求人可能遭到报复，所述健康、家庭情况可能为他人知悉。",
                "measures": "联系方式另行加密；被投诉单位及其上级不可见；数据库行级隔离；到期销毁。与风险相适应。",
                "outcome": "可以处理。条件：每半年抽查一次可见范围。",
                "assessors": "热线管理机构、个人信息保护负责人",
                "assessed_on": (day - dt.timedelta(days=180)).isoformat(),
                "next_on": (day + dt.timedelta(days=185)).isoformat(),
            },
        ),
        (
            Register.PROCESSOR,
            _GATEWAY,
            "鹿城短信网关运营单位（演示）",
            {
                "purpose": "向诉求人发送短信。",
                "period": "一年",
                "manner": "接收号码和短信内容，发送后返回结果。",
                "data": "电话号码、短信内容。",
                "measures": "专线或者 TLS 传输；号码不另作他用；发送记录按合同期限删除。",
                "contract": "演示-2026-001",
                "contract_end": (day + dt.timedelta(days=45)).isoformat(),
                "sub_processors": "",
                "supervision": "每季度核对发送记录和删除证明。",
            },
        ),
    ]
