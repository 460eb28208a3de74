from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "lucheng.web"
    label = "web"
