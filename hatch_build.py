"""Builds what the wheel carries beside Python: the front end and the compiled translations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LuchengBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        self._translations(root / "src" / "lucheng" / "locale")

    def _translations(self, locale: Path) -> None:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        for po in sorted(locale.glob("*/LC_MESSAGES/*.po")):
            with po.open("rb") as f:
                catalogue = read_po(f)
            with po.with_suffix(".mo").open("wb") as f:
                write_mo(f, catalogue)
            sys.stderr.write(f"compiled {po}\n")
