"""A bulletin as a document: Word in the layout of GB/T 9704-2012, and PDF. Drafts, without seal or number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Unavailable
from lucheng.core.indicators.bulletin import Bulletin

#: Millimetres and points of GB/T 9704-2012: A4, 37 above, 28 at the binding, a type area of 156 by 225; title in size 2
#: (22 pt), text in size 3 (16 pt), 22 lines of 28 characters; page numbers in size 4 (14 pt) between dashes.
TOP, LEFT, WIDTH, HEIGHT = 37, 28, 156, 225
TITLE, TEXT, PAGE_NUMBER = 22, 16, 14
LINES = 22
_LINE = HEIGHT / 25.4 * 72 / LINES
#: Fonts that the standard names: Word takes the reader's own, the PDF the first that this machine has.
SONG, FANGSONG, HEI, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
_FALLBACK = ("FangSong", "STFangsong", "Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC")
_FONTS = {0: FANGSONG, 1: HEI, 2: KAI}


def write_docx(bulletin: Bulletin, file: IO[bytes]) -> None:
    """Write ``bulletin`` as a Word file."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    document: Any = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(TOP), Mm(LEFT)
    section.right_margin, section.bottom_margin = Mm(210 - LEFT - WIDTH), Mm(297 - TOP - HEIGHT)
    document.core_properties.title = bulletin.title
    document.core_properties.author = ""

    def run(paragraph: Any, text: str, font: str, size: int) -> None:
        made = paragraph.add_run(text)
        made.font.size, made.font.name = Pt(size), font
        # Without its East Asian font named, Word and others pick glyphs of another language.
        made._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)

    def paragraph(indent: bool) -> Any:
        made = document.add_paragraph()
        layout = made.paragraph_format
        layout.space_before = layout.space_after = Pt(0)
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(_LINE)
        if indent:
            layout.first_line_indent = Pt(2 * TEXT)
        return made

    title = paragraph(indent=False)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Pt(_LINE)
    run(title, bulletin.title, SONG, TITLE)
    for part in bulletin.paragraphs:
        run(paragraph(indent=True), str(part), _FONTS[part.level], TEXT)

    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run(footer, "— ", SONG, PAGE_NUMBER)
    number = footer.add_run()
    number.font.size = Pt(PAGE_NUMBER)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        number._element.append(element)
    run(footer, " —", SONG, PAGE_NUMBER)
    document.save(file)


_TYPST = """
#let told = json(bytes(sys.inputs.told))
#set page(width: 210mm, height: 297mm, margin: (top: {top}mm, left: {left}mm, right: {right}mm, bottom: {bottom}mm),
  footer: align(center, text(size: {number}pt, context [— #counter(page).display() —])))
#set document(title: told.title)
#set text(font: told.fonts, size: {size}pt, lang: "zh", region: "cn")
#set par(first-line-indent: (amount: 2em, all: true), leading: {leading}pt, spacing: {leading}pt, justify: true)
#align(center, text(size: {title}pt, weight: "bold", told.title))
#v(1em)
#for part in told.paragraphs [
  #if part.level == 0 [#part.text] else [#text(weight: "bold", part.text)]
  #parbreak()
]
"""


def write_pdf(bulletin: Bulletin, file: IO[bytes]) -> None:
    """Write ``bulletin`` as a PDF. Raises Unavailable where this machine has no Chinese font."""
    import typst

    known = {f.lower() for f in typst.Fonts().families()}
    fonts = [f for f in (FANGSONG, *_FALLBACK) if f.lower() in known]
    if not fonts:
        raise Unavailable(_("No Chinese font is installed here: install the package fonts-noto-cjk."))
    told = {
        "title": bulletin.title,
        "fonts": fonts,
        "paragraphs": [{"level": p.level, "text": str(p)} for p in bulletin.paragraphs],
    }
    source = _TYPST.format(
        top=TOP,
        left=LEFT,
        right=210 - LEFT - WIDTH,
        bottom=297 - TOP - HEIGHT,
        number=PAGE_NUMBER,
        size=TEXT,
        title=TITLE,
        leading=round(_LINE - TEXT, 1),
    )
    made = typst.compile(source.encode(), sys_inputs={"told": json.dumps(told, ensure_ascii=False)})
    assert isinstance(made, bytes)
    file.write(made)


def write_json(bulletin: Bulletin, file: IO[bytes]) -> None:
    """Write every figure of ``bulletin`` by its id: value, numerator, denominator, as_of and query."""
    file.write(json.dumps(bulletin.as_json(), ensure_ascii=False, indent=1).encode() + b"\n")


def write_html(bulletin: Bulletin, file: IO[bytes]) -> None:
    """Write ``bulletin`` as a page of its own; each figure leads to the page on which it opens."""
    content = render_to_string(
        "indicators/bulletin.html", {"bulletin": bulletin, "address": settings.ADDRESS}
    )
    file.write(content.encode())


FORMATS: dict[str, Callable[[Bulletin, IO[bytes]], None]] = {
    "docx": write_docx,
    "pdf": write_pdf,
    "html": write_html,
    "json": write_json,
}
