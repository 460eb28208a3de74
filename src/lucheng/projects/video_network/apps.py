from django.apps import AppConfig


class VideoNetworkConfig(AppConfig):
    name = "lucheng.projects.video_network"
    label = "video_network"
