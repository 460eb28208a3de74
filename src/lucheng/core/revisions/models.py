"""How often each body of reference data has changed, so that a copy held in memory knows when it is old."""

from __future__ import annotations

from django.db import models


class Revision(models.Model):
    name = models.CharField(max_length=40, primary_key=True)
    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
