from django.apps import AppConfig


class UnitConfig(AppConfig):
    name = "lucheng.channels.unit"
    label = "unit"
