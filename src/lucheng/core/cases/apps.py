from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class CasesConfig(AppConfig):
    name = "lucheng.core.cases"
    label = "cases"

    def ready(self) -> None:
        # Every room that brings kinds of case declares them in its cases.py.
        autodiscover_modules("cases")

        from lucheng.core.cases.policies import raise_walls

        # By the time this is said for one room, all rooms have their tables.
        post_migrate.connect(raise_walls, sender=self, dispatch_uid="lucheng.walls")
