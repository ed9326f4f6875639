"""The Celery application: three queues that only wake workers; state lives in the database."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup
from django.conf import settings
from kombu.transport.redis import Channel

from jobs.registry import load_worker_jobs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A message only wakes a worker and the sweep sends it again: none is worth putting back when the
# connection is lost. With a broker that is gone kombu 5.7 fails at that, and the worker ends.
Channel.do_restore = False

app = Celery("setright")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "ack_emulation": False,
        "health_check_interval": 10,
        "socket_timeout": 20,
        "socket_connect_timeout": 1,
        # Without these a nudge tries for six seconds while the broker is away, in a web request.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="light",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,  # Django has set up the logs.
    worker_redirect_stdouts=False,
    beat_schedule={
        "sweep": {
            "task": "jobs.sweep",
            "schedule": 2.0,
            "options": {"queue": "sweep", "expires": 10},
        }
    },
)
app.autodiscover_tasks()


@celeryd_after_setup.connect
def load_heavy_modules(instance: Any, **_: object) -> None:
    """Once, before the pool forks: its processes share the memory and start at once."""
    if "sweep" not in instance.app.amqp.queues.consume_from:
        load_worker_jobs()
