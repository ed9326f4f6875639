"""The cache that all processes share; a server that is away costs accuracy, never an answer."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

ANSWER_SECONDS = 0.2  # On the path of requests; the cache is beside us or next door.


class ForgivingCache(RedisCache):
    """Redis; while it does not answer, this process's own memory, so that limits still hold."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("forgiving", {})

    def add(self, *args: Any, **named: Any) -> Any:
        return self._ask("add", *args, **named)

    def get(self, *args: Any, **named: Any) -> Any:
        return self._ask("get", *args, **named)

    def set(self, *args: Any, **named: Any) -> Any:
        return self._ask("set", *args, **named)

    def touch(self, *args: Any, **named: Any) -> Any:
        return self._ask("touch", *args, **named)

    def delete(self, *args: Any, **named: Any) -> Any:
        return self._ask("delete", *args, **named)

    def get_many(self, *args: Any, **named: Any) -> Any:
        return self._ask("get_many", *args, **named)

    def has_key(self, *args: Any, **named: Any) -> Any:
        return self._ask("has_key", *args, **named)

    def incr(self, *args: Any, **named: Any) -> Any:
        return self._ask("incr", *args, **named)

    def set_many(self, *args: Any, **named: Any) -> Any:
        return self._ask("set_many", *args, **named)

    def delete_many(self, *args: Any, **named: Any) -> Any:
        return self._ask("delete_many", *args, **named)

    def _ask(self, method: str, *args: Any, **named: Any) -> Any:
        try:
            return getattr(super(), method)(*args, **named)
        except RedisError:
            return getattr(self._own, method)(*args, **named)


def cache_at(broker_url: str) -> dict[str, Any]:
    """Django's settings for a cache beside the broker's queues, in this process where it cannot."""
    url = broker_url.replace("redis+socket://", "unix://", 1)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": "config.caches.ForgivingCache",
        "LOCATION": url,
        "KEY_PREFIX": "setright",
        "OPTIONS": {
            "socket_connect_timeout": ANSWER_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        },
    }
