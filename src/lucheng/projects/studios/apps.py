from django.apps import AppConfig


class StudiosConfig(AppConfig):
    name = "lucheng.projects.studios"
    label = "studios"
