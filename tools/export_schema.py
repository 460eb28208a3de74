"""The form of a person's exported data: ``python -m tools.export_schema`` writes ``docs/export.schema.json``."""

from __future__ import annotations

import json
import os
from pathlib import Path

KEPT = Path(__file__).parents[1] / "docs" / "export.schema.json"


def main() -> None:
    """Write the schema as the code has it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from lucheng.core.privacy import export

    KEPT.write_text(json.dumps(export.schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
