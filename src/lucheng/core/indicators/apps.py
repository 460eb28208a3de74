from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "lucheng.core.indicators"
    label = "indicators"
