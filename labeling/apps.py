"""The application's configuration."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "labeling"
