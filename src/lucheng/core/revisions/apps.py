from django.apps import AppConfig


class RevisionsConfig(AppConfig):
    name = "lucheng.core.revisions"
    label = "revisions"
