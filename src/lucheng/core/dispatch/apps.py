from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "lucheng.core.dispatch"
    label = "dispatch"
