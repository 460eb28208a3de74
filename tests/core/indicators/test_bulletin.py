"""The bulletin: figures are named, never typed; change the records and it changes; documents hold what it says."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn

from lucheng.core.errors import NotFound
from lucheng.core.faults import Faulty
from lucheng.core.indicators import bulletin, documents
from lucheng.core.indicators.periods import window
from tests.core.registers.centres import centre
from tests.factories import CITY, NOW, STREET, WEST, City

TODAY = dt.date(2026, 3, 2)
TEXT = """
title = "{place}{year}年通报"
names = ["12345热线"]
[[part]]
heading = "一、党建引领"
[[part]]
heading = "（一）党群服务中心"
level = 2
text = ["截至{until}，12345热线说社区{1.centres.community}个，市级{1.centres.city}个，再说{1.centres.community}个。"]
"""


def made(period: str = "2020", place: str = CITY) -> bulletin.Bulletin:
    return bulletin.compose(TEXT, window(period, TODAY), place)


def test_change_the_records_and_the_bulletin_changes(city: City) -> None:
    centre("C1", standard_since="2020-07-01")
    assert made().title == "鹿原市2020年通报"
    assert str(made().paragraphs[2]) == "截至2020年12月31日，12345热线说社区1个，市级0个，再说1个。"
    centre("C2", place=STREET + "002", standard_since="2020-08-01")
    assert "社区2个" in str(made().paragraphs[2])
    assert "社区1个" in str(made("2020-07").paragraphs[2])
    assert "社区0个" in str(made(place="990102").paragraphs[2])


def test_the_json_holds_value_counts_day_and_query_of_each_figure_once(city: City) -> None:
    centre("C1", standard_since="2020-07-01")
    told = made(place=WEST).as_json()
    assert list(told) == ["1.centres.community", "1.centres.city"]
    one = told["1.centres.community"]
    assert {k: one[k] for k in ("value", "numerator", "denominator", "as_of")} == {
        "value": 1,
        "numerator": 1,
        "denominator": None,
        "as_of": "2020-12-31",
    }
    assert "party_centres_centre" in one["query"] and WEST in one["query"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('title = "x"\n[[part]]\ntext = ["社区中心250个"]', "“250”"),
        ('title = "x"\n[[part]]\ntext = ["社区中心２５０个"]', "“２５０”"),
        ('title = "x"\n[[part]]\nheading = "3"', "“3”"),
        ('title = "2020年"\n[[part]]\ntext = ["x"]', "“2020”"),
        ('title = "x"\n[[part]]\ntext = ["{1.centres.galaxy}"]', "“1.centres.galaxy”"),
        ('title = "x"', "段落"),
        ("title = ", "TOML"),
        ('title = ""\n[[part]]\ntext = ["x"]', "不能为空"),
        ('title = "x"\n[[part]]\ntext = [7]', "文字"),
    ],
)
def test_a_template_with_a_typed_figure_or_an_unknown_one_is_refused(text: str, words: str) -> None:
    with pytest.raises(Faulty) as refused:
        bulletin.check(text)
    assert any(words in str(fault) for fault in refused.value.faults), [str(f) for f in refused.value.faults]


def test_templates_are_editions_and_the_newest_holds(db: None, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        bulletin.current()
    file = tmp_path / "b.toml"
    file.write_text(TEXT)
    assert bulletin.load(file, NOW).number == 1
    assert bulletin.load(file, NOW).number == 1
    file.write_text(TEXT.replace("通报", "简报"))
    assert bulletin.load(file, NOW).number == 2
    assert "简报" in bulletin.current().text
    file.write_text("title = 'x'")
    with pytest.raises(Faulty):
        bulletin.load(file, NOW)
    assert bulletin.current().number == 2


def test_the_word_file_has_the_layout_of_the_standard_and_names_its_east_asian_fonts(city: City) -> None:
    file = io.BytesIO()
    documents.write_docx(made(), file)
    document = Document(file)
    page = document.sections[0]
    assert [round(x.mm) for x in (page.page_width, page.page_height, page.top_margin, page.left_margin)] == [
        210,
        297,
        37,
        28,
    ]
    texts = [p.text for p in document.paragraphs]
    assert texts[0] == "鹿原市2020年通报" and texts[3].startswith("截至2020年12月31日")
    fonts = {r._element.rPr.rFonts.get(qn("w:eastAsia")) for p in document.paragraphs for r in p.runs}
    assert fonts == {documents.SONG, documents.HEI, documents.KAI, documents.FANGSONG}
    assert document.paragraphs[3].paragraph_format.line_spacing.pt == pytest.approx(29, abs=0.1)
    assert "PAGE" in page.footer._element.xml


def test_pdf_html_and_json_are_written_of_the_same_bulletin(city: City) -> None:
    centre("C1", standard_since="2020-07-01")
    told = {}
    for form in ("pdf", "html", "json"):
        file = io.BytesIO()
        documents.FORMATS[form](made(), file)
        told[form] = file.getvalue()
    assert told["pdf"].startswith(b"%PDF")
    page = told["html"].decode()
    assert (
        "/figures/1.centres.community/?place=9901&amp;period=2020" in page and "<h2>一、党建引领</h2>" in page
    )
    assert json.loads(told["json"])["1.centres.community"]["value"] == 1
