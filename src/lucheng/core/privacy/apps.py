from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "lucheng.core.privacy"
    label = "privacy"
