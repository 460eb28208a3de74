from django.apps import AppConfig


class SafeCommunitiesConfig(AppConfig):
    name = "lucheng.projects.safe_communities"
    label = "safe_communities"
