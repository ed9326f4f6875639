"""The cache that all processes share: losing it costs counters, never an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

ANSWER_SECONDS = 0.2  # On the path of requests; the cache is beside us or next door.

P = ParamSpec("P")
R = TypeVar("R")


class ForgivingCache(RedisCache):
    """Redis, where a server that does not answer is an empty cache."""

    def add(self, *args: Any, **named: Any) -> bool:
        return _or(False, super().add, *args, **named)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, super().get, key, default, version)

    def set(self, *args: Any, **named: Any) -> None:
        _or(None, super().set, *args, **named)

    def touch(self, *args: Any, **named: Any) -> bool:
        return _or(False, super().touch, *args, **named)

    def delete(self, *args: Any, **named: Any) -> bool:
        return _or(False, super().delete, *args, **named)

    def get_many(self, *args: Any, **named: Any) -> dict[Any, Any]:
        return _or({}, super().get_many, *args, **named)

    def has_key(self, *args: Any, **named: Any) -> bool:
        return _or(False, super().has_key, *args, **named)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """As for a key that is not there: raises ValueError."""
        count = _or(None, super().incr, key, delta, version)
        if count is None:
            raise ValueError("The cache does not answer.")
        return count

    def set_many(self, data: Any, *args: Any, **named: Any) -> list[Any]:
        return _or(list(data), super().set_many, data, *args, **named)

    def delete_many(self, *args: Any, **named: Any) -> None:
        _or(None, super().delete_many, *args, **named)


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


def _or(instead: R, ask: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    try:
        return ask(*args, **named)
    except RedisError:
        return instead
