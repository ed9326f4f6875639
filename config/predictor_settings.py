"""The predictor's settings: the same, but for its own few addresses and little around them."""

from config.settings import *  # noqa: F403  Django's way to derive settings from others.

ROOT_URLCONF = "config.predictor_urls"
WSGI_APPLICATION = "config.predictor.application"
MIDDLEWARE = [
    "config.request_log.RequestLogMiddleware",
    "config.predictor_policies.PredictorMiddleware",
]
