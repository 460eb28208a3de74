"""How often what is limited was tried of late."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Tally(models.Model):
    """The tries under one name, number, address or code, which is kept as a keyed digest only.

    People write their password into the field of the name by mistake: what was written there is never kept.
    """

    key = models.BinaryField(primary_key=True)
    at = ArrayField(models.DateTimeField(), help_text="the tries that count, the oldest first")
    until = models.DateTimeField(db_index=True, help_text="when none of them counts any more")

    def __str__(self) -> str:
        return f"{len(self.at)} until {self.until.isoformat()}"
