from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "lucheng.channels.api"
    label = "api"
