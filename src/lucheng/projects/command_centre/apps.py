from django.apps import AppConfig


class CommandCentreConfig(AppConfig):
    name = "lucheng.projects.command_centre"
    label = "command_centre"
