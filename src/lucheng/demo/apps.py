from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "lucheng.demo"
    label = "demo"
