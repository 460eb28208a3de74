from django.apps import AppConfig


class CommandConfig(AppConfig):
    name = "lucheng.channels.command"
    label = "command"
