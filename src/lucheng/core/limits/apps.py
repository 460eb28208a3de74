from django.apps import AppConfig


class LimitsConfig(AppConfig):
    name = "lucheng.core.limits"
    label = "limits"
