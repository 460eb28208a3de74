from django.apps import AppConfig


class ProgrammeConfig(AppConfig):
    name = "lucheng.projects.programme"
    label = "programme"
