from django.apps import AppConfig


class RegistersConfig(AppConfig):
    name = "lucheng.core.registers"
    label = "registers"
