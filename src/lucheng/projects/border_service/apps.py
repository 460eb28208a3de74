from django.apps import AppConfig


class BorderServiceConfig(AppConfig):
    name = "lucheng.projects.border_service"
    label = "border_service"
