from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    name = "lucheng.channels.administration"
    label = "administration"
