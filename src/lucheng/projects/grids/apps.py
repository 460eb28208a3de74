from django.apps import AppConfig


class GridsConfig(AppConfig):
    name = "lucheng.projects.grids"
    label = "grids"
