from django.apps import AppConfig


class OrganisationConfig(AppConfig):
    name = "lucheng.core.organisation"
    label = "organisation"
