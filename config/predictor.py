"""The predictor's process: `gunicorn config.predictor:application`, one worker with threads."""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)
# This process has few addresses, and little around them. A settings module of its own would come
# too late: the package imports Celery, which reads the settings.
settings.ROOT_URLCONF = "config.predictor_urls"
settings.MIDDLEWARE = [
    "config.request_log.RequestLogMiddleware",
    "config.predictor_policies.PredictorMiddleware",
]
application = WSGIHandler()
# Importable only now. Loads the models' libraries here and not with the first request.
import_string("retraining.serving.PREDICTOR").start()
