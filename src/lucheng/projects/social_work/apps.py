from django.apps import AppConfig


class SocialWorkConfig(AppConfig):
    name = "lucheng.projects.social_work"
    label = "social_work"
