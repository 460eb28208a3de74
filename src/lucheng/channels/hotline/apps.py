from django.apps import AppConfig


class HotlineConfig(AppConfig):
    name = "lucheng.channels.hotline"
    label = "hotline"
