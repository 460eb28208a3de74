"""Real messages through the front door: nothing is dropped without a line."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.utils import timezone
from rich.console import Console

from lucheng.channels.hotline import cli, replay
from lucheng.channels.hotline.replay import Door, NotReplayable, messages, run_name, send
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from tests import factories
from tests.core.triage import model

SHARED = Path(__file__).parents[4] / "shared" / "data"
LAMP = "鹿苑小区3号楼门口的路灯不亮，已经三天了，晚上出门很不方便。"


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    file = tmp_path / "messages.csv"
    file.write_bytes(text.encode(encoding))
    return file


# --- reading a file


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("2019-03-03 00:00:00", "2019-03-03T00:00:00+08:00"),
        ("2019/2/28 11:25:05", "2019-02-28T11:25:05+08:00"),
        ("2020/1/8 9:05", "2020-01-08T09:05:00+08:00"),
        ("12/31/2016", "2016-12-31T00:00:00+08:00"),
        ("2020-02-29", "2020-02-29T00:00:00+08:00"),
    ],
)
def test_dates_are_read_as_exports_write_them(tmp_path: Path, stamp: str, read: str) -> None:
    (row,) = messages(written(tmp_path, f"content,date\n路灯不亮,{stamp}\n"))
    assert row.at is not None
    assert (row.at.isoformat(), row.complaints) == (read, ())


@pytest.mark.parametrize("stamp", ["2019-02-30", "昨天", "20190303", "13/13/2016"])
def test_what_is_no_date_is_said_and_the_message_goes_on(tmp_path: Path, stamp: str) -> None:
    (row,) = messages(written(tmp_path, f"content,date\n路灯不亮,{stamp}\n"))
    assert (row.text, row.at) == ("路灯不亮", None)
    assert stamp in row.complaints[0]


def test_a_file_as_spreadsheets_save_it_is_read(tmp_path: Path) -> None:
    text = '留言编号,留言主题,留言时间,留言详情\r\n7,路灯,2020/1/8 9:05,"第一行\n第二行, 有逗号"\r\n'
    (row,) = messages(written(tmp_path, text, "utf-8-sig"))
    assert (row.row, row.ref, row.title, row.text) == (2, "7", "路灯", "第一行\n第二行, 有逗号")


def test_natures_are_read_and_unknown_ones_are_said(tmp_path: Path) -> None:
    rows = list(messages(written(tmp_path, "content,nature\n甲,投诉\n乙,闲聊\n丙,\n")))
    assert [(r.nature, len(r.complaints)) for r in rows] == [("complaint", 0), ("other", 1), ("help", 0)]


def test_odd_rows_are_kept_each_with_its_line(tmp_path: Path) -> None:
    rows = list(messages(written(tmp_path, "title,content\n,\n只有标题,\n标题,内容,多出的\n")))
    assert [r.text for r in rows] == ["", "只有标题", "内容"]
    assert [len(r.complaints) for r in rows] == [0, 0, 1]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("编号,日期\n1,2020-01-01\n".encode(), "no column of text"),
        (b"", "no column of text"),
        ("content\n路灯不亮\n".encode("gbk"), "UTF-8"),
        (b'content\n"' + b"x" * 2_000_000 + b'"\n', "not a CSV file"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, said: str
) -> None:
    file = tmp_path / "messages.csv"
    file.write_bytes(data)
    with pytest.raises(NotReplayable, match=said):
        list(messages(file))


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:port", "http://x:99999"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(NotReplayable, match="is not an address"):
        Door(address, "")


def test_two_files_with_the_same_content_are_the_same_run(tmp_path: Path) -> None:
    one = written(tmp_path, "content\n路灯不亮\n")
    other = tmp_path / "copy.csv"
    other.write_bytes(one.read_bytes())
    assert run_name(one) == run_name(other)
    other.write_bytes(one.read_bytes() + b"x\n")
    assert run_name(one) != run_name(other)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"), [("hotline/worksheets.csv", 732), ("messages/hot_topics.csv", 4325)]
)
def test_every_real_message_has_a_text_and_a_date(name: str, count: int) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the folder shared/data is not beside the repository")
    rows = list(messages(SHARED / name))
    assert len(rows) == count
    assert [r.row for r in rows if not r.text or r.at is None] == []
    with (SHARED / name).open(encoding="utf-8-sig", newline="") as f:
        assert {r.text for r in rows} == {
            (row.get("content") or row.get("留言详情") or "").strip() for row in csv.DictReader(f)
        }


# --- sending


def report(tally: replay.Tally) -> str:
    out = Console(width=200, record=True, quiet=False)
    cli._report(tally, out)
    return out.export_text()


@pytest.mark.django_db(transaction=True)
def test_messages_are_located_dispatched_merged_or_left_and_a_second_run_makes_nothing_new(
    live_server: object, tmp_path: Path
) -> None:
    city = factories.city()
    model.in_force()
    token = factories.key(city.people["operator"], now=timezone.now())
    address = str(live_server)
    file = written(
        tmp_path,
        "id,date,nature,content\n"
        f"1,2019/2/28 11:25:05,求助,{LAMP}\n"
        f"2,03/01/2019,求助,{LAMP}\n"
        "3,2019-03-02,咨询,你好\n"
        "4,2019-03-02,投诉,   \n"
        "5,不详,闲聊,白音苏木乌兰嘎查的垃圾没有人清运，堆了一个星期。\n"
        f"6,2019-03-02,求助,{'长' * 100_001}\n"
        "7,2019-03-02,求助,<script>alert(1)</script>‮\u0007\n",
    )
    door, name = Door(address, token), run_name(file)
    first = replay.Tally()
    for message in messages(file):
        first.add(send(door, message, name))
    lamp, again, hello, empty, rubbish, long, markup = first.outcomes

    assert (lamp.located, lamp.matter, lamp.unit) == (
        factories.GRID,
        factories.LAMP,
        city.units["utilities"].name,
    )
    assert lamp.rule is not None
    assert again.merged_into == lamp.number
    assert hello.left == "category not certain enough to propose"
    assert "content" in empty.failed
    assert rubbish.located.startswith(factories.SUMU + "001")
    assert rubbish.number
    assert rubbish.message.complaints
    assert long.failed.startswith("422")
    assert markup.number
    assert Case.objects.count() == 5
    stands = dict(Case.objects.values_list("number", "state"))
    assert (stands[lamp.number], stands[again.number]) == (State.DISPATCHED, State.MERGED)
    assert Case.objects.get(number=lamp.number).occurred_at == lamp.message.at
    # Every message stands in the table, and every odd or refused one has a line.
    assert all(o.rule or o.merged_into or o.left or o.failed for o in first.outcomes)
    said = report(first)
    for row in (5, 7):  # the rows of the file that were refused: its header is row 1
        assert f"row {row}: not taken" in said
    assert "row 6: “不详” is not a date" in said

    events = Event.objects.count()
    rows = list(messages(file))
    second = cli._run(rows, address, token, name, 1000.0, 3, Console(quiet=True))
    assert len(second.outcomes) == len(rows)
    for before, after in zip(
        first.outcomes, sorted(second.outcomes, key=lambda o: o.message.row), strict=True
    ):
        assert after.number == before.number
        assert ("was replayed before" in after.left) == bool(before.number)
    assert (Case.objects.count(), Event.objects.count()) == (5, events)


class _NotOurs(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"surprise": "\xff"}')

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def stranger() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _NotOurs)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_answers_nonsense_or_nothing_costs_a_line_and_not_the_run(
    tmp_path: Path, stranger: str
) -> None:
    rows = list(messages(written(tmp_path, "content\n" + "路灯不亮\n" * 12)))
    tally = cli._run(rows, stranger, "x", "run", 1000.0, 2, Console(quiet=True))
    assert [bool(o.failed) for o in tally.outcomes] == [True] * 12
    tally = cli._run(rows[:2], "http://127.0.0.1:9", "x", "run", 1000.0, 2, Console(quiet=True))
    assert [o.failed.startswith("no answer") for o in tally.outcomes] == [True] * 2
    assert report(tally).count("not taken:") == 2
