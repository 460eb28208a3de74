from django.apps import AppConfig


class LegalServicesConfig(AppConfig):
    name = "lucheng.projects.legal_services"
    label = "legal_services"
