from django.apps import AppConfig


class ClocksConfig(AppConfig):
    name = "lucheng.core.clocks"
    label = "clocks"
