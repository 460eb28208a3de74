"""The tracking code as something to keep: a QR code that opens the page, and a picture to save."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import segno
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

_QUIET = 4  # modules of white that a reader needs around the code
#: Where systems keep a font with Chinese signs; the index is that of simplified Chinese in a collection.
_FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/System/Library/Fonts/PingFang.ttc", 0),
    ("C:/Windows/Fonts/msyh.ttc", 0),
)
_WIDTH = 720
_PAPER, _INK, _SOFT = "#ffffff", "#1b2733", "#4d5a67"


def drawing(address: str) -> str:
    """The QR code of ``address`` as an SVG element, black on white in any colours of the page."""
    return segno.make(address, micro=False, error="m").svg_inline(
        omitsize=True, border=_QUIET, dark="#000", light="#fff", svgclass=None, lineclass=None
    )


@cache
def _chinese() -> tuple[str, int] | None:
    return next(((file, index) for file, index in _FONTS if Path(file).exists()), None)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    found = _chinese()
    return ImageFont.truetype(found[0], size, index=found[1]) if found else ImageFont.load_default(size)


def _lines(words: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """The words cut to the width, sign by sign: an address has no blanks, and neither has Chinese."""
    lines = [""]
    for sign in words:
        if font.getlength(lines[-1] + sign) > width:
            lines.append("")
        lines[-1] += sign
    return lines


def picture(code: str, address: str) -> bytes:
    """A PNG that says the same to eyes and to a scanner. Where no font has Chinese signs: code and address alone."""
    qr = segno.make(address, micro=False, error="m")
    scale = max(1, 440 // qr.symbol_size(border=_QUIET)[0])
    body = BytesIO()
    qr.save(body, kind="png", scale=scale, border=_QUIET)
    square = Image.open(body).convert("RGB")
    chinese = _chinese() is not None
    words: list[tuple[str, int, str]] = [(code, 56, _INK)]
    if chinese:
        words.insert(0, (_("Lucheng 12345 · tracking code"), 30, _SOFT))
    after = [(address, 24, _SOFT)]
    if chinese:
        after.insert(0, (_("Scan it, or open the address, to see how your case stands."), 26, _SOFT))

    placed: list[tuple[int, str, int, str]] = []
    y = 48
    for text, size, colour in words:
        for line in _lines(text, _font(size), _WIDTH - 80):
            placed.append((y, line, size, colour))
            y += round(size * 1.5)
    top = y
    y += square.height
    for text, size, colour in after:
        for line in _lines(text, _font(size), _WIDTH - 80):
            placed.append((y, line, size, colour))
            y += round(size * 1.5)
    sheet = Image.new("RGB", (_WIDTH, y + 40), _PAPER)
    sheet.paste(square, ((_WIDTH - square.width) // 2, top))
    pen = ImageDraw.Draw(sheet)
    for at, line, size, colour in placed:
        font = _font(size)
        pen.text(((_WIDTH - font.getlength(line)) / 2, at), line, fill=colour, font=font)
    out = BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()
