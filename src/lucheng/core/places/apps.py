from django.apps import AppConfig


class PlacesConfig(AppConfig):
    name = "lucheng.core.places"
    label = "places"
