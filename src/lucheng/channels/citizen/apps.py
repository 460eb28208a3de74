from django.apps import AppConfig


class CitizenConfig(AppConfig):
    name = "lucheng.channels.citizen"
    label = "citizen"
