from django.apps import AppConfig


class BuildingChiefsConfig(AppConfig):
    name = "lucheng.projects.building_chiefs"
    label = "building_chiefs"
