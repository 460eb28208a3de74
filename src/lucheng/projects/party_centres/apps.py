from django.apps import AppConfig


class PartyCentresConfig(AppConfig):
    name = "lucheng.projects.party_centres"
    label = "party_centres"
