"""Chinese is the first language: every sentence that a person may read has its Chinese, in the room that says it."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

SOURCE = Path(__file__).parents[2] / "src" / "lucheng"
PO = Path("locale/zh_Hans/LC_MESSAGES/django.po")

KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}

Message = tuple[str | None, str]  # context, msgid


def room_of(file: Path) -> Path:
    """The app to whose catalogue a file's sentences belong: the nearest folder with an ``apps.py``, or the package."""
    return next((p for p in file.parents if (p / "apps.py").exists() or p == SOURCE), SOURCE)


def said_in(file: Path) -> Iterator[tuple[int, Message]]:
    """Line and message of every translatable sentence of a Python file or a template."""
    text = file.read_text()
    if file.suffix != ".py":
        # Django turns a template into Python calls between stretches of X; indentation means nothing there.
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    for line, found, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
        yield line, (context, found[0] if isinstance(found, tuple) else found)


def catalogues() -> dict[Path, dict[Message, tuple[str, ...]]]:
    """Room → message → its Chinese forms, fuzzy ones apart."""
    found: dict[Path, dict[Message, tuple[str, ...]]] = {}
    for po in SOURCE.glob(f"**/{PO}"):
        with po.open("rb") as f:
            catalogue = read_po(f, abort_invalid=True)
        found[po.parents[len(PO.parents) - 1]] = {
            (m.context, m.id[0] if isinstance(m.id, tuple) else m.id): (
                m.string if isinstance(m.string, tuple) else (m.string,)
            )
            for m in catalogue
            if m.id and not m.fuzzy
        }
    return found


def files() -> list[Path]:
    templates = [f for f in SOURCE.glob("**/templates/**/*") if f.suffix in (".html", ".txt", ".xml")]
    return sorted([*SOURCE.glob("**/*.py"), *templates])


def test_every_sentence_has_its_chinese_in_the_catalogue_of_its_room() -> None:
    known = catalogues()
    missing = [
        f"{file.relative_to(SOURCE)}:{line} {message[1]!r} → {(room_of(file) / PO).relative_to(SOURCE)}"
        for file in files()
        for line, message in said_in(file)
        if message[1] and not all(known.get(room_of(file), {}).get(message, ("",)))
    ]
    assert not missing, f"{len(missing)} sentences have no Chinese:\n" + "\n".join(missing)


def test_no_sentence_hides_inside_an_f_string() -> None:
    """Before Python 3.12 an f-string is one token: what is said inside it escapes the look for sentences."""
    hidden = [
        f"{file.relative_to(SOURCE)}:{call.lineno}"
        for file in SOURCE.glob("**/*.py")
        for text in ast.walk(ast.parse(file.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS
    ]
    assert not hidden, "take the sentence out of the f-string: " + ", ".join(hidden)


def test_a_sentence_has_the_same_chinese_in_every_room() -> None:
    """All catalogues are merged into one at run time: of two translations of the same words only one would be seen."""
    chinese: dict[Message, dict[tuple[str, ...], Path]] = {}
    for room, catalogue in catalogues().items():
        for message, forms in catalogue.items():
            chinese.setdefault(message, {}).setdefault(forms, room)
    different = [
        f"{message[1]!r}: "
        + " / ".join(f"{forms[0]} ({room.relative_to(SOURCE)})" for forms, room in by_forms.items())
        for message, by_forms in chinese.items()
        if len(by_forms) > 1
    ]
    assert not different, "\n".join(different)


def test_placeholders_survive_translation() -> None:
    """``%(name)s`` and ``{name}`` stand in the Chinese as in the English, or the sentence breaks when it is needed."""
    import re

    places = re.compile(r"%\(\w+\)[sd]|(?<!\{)\{\w*\}(?!\})")
    broken = [
        f"{room.relative_to(SOURCE)}: {message[1]!r} → {form!r}"
        for room, catalogue in catalogues().items()
        for message, forms in catalogue.items()
        for form in forms
        if form
        and set(places.findall(form)) - set(places.findall(message[1]))
        | (set(places.findall(message[1])) - set(places.findall(form)) if len(forms) == 1 else set())
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("template", "messages"),
    [
        ('{% load i18n %}<p>{% translate "Next" %}</p>', ["Next"]),
        ("{% load i18n %}\n   {% blocktranslate %}Step {{ n }}{% endblocktranslate %}", ["Step %(n)s"]),
        ('{{ name|default:_("none yet") }}', ["none yet"]),
        ("{% blocktranslate count n=n %}one{% plural %}{{ n }} of them{% endblocktranslate %}", ["one"]),
    ],
)
def test_sentences_of_templates_are_found(tmp_path: Path, template: str, messages: list[str]) -> None:
    file = tmp_path / "page.html"
    file.write_text(template)
    assert [message for _line, (_context, message) in said_in(file)] == messages
