from django.apps import AppConfig


class TriageConfig(AppConfig):
    name = "lucheng.core.triage"
    label = "triage"
