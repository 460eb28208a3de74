from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CasesConfig(AppConfig):
    name = "lucheng.core.cases"
    label = "cases"

    def ready(self) -> None:
        # Every room that brings kinds of case declares them in its cases.py.
        autodiscover_modules("cases")
