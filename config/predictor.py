"""The predictor's process: `gunicorn config.predictor:application`, one worker with threads."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

# Not `setdefault`: this process has addresses and middleware of its own.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.predictor_settings"
application = get_wsgi_application()
# Loads the models' libraries now and not with the first request; only Django's set-up, above,
# makes it importable.
import_string("retraining.serving.PREDICTOR").start()
