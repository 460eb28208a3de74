"""Names with their codes, as type-to-find fills them into a form: "昆都仑区 [150203]"."""

from __future__ import annotations

from lucheng.core.places import names


def label(name: object, code: str) -> str:
    """A name with its code.

    >>> label("昆都仑区", "150203")
    '昆都仑区 [150203]'
    """
    return f"{name} [{code}]"


def code_in(text: str) -> str:
    """The code in a label; other words as they are.

    >>> code_in("昆都仑区 [150203]"), code_in("150203")
    ('150203', '150203')
    """
    return text[text.rindex("[") + 1 : -1].strip() if text.endswith("]") and "[" in text else text


def place_label(code: str) -> str:
    """The label of a place."""
    return label(names.place_name(code), code)
