"""A closed list of plug-ins by slug."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from projects.errors import Invalid


class Plugin(Protocol):
    @property
    def slug(self) -> str: ...

    @property
    def title(self) -> str: ...


P = TypeVar("P", bound=Plugin)


class Registry(Generic[P]):
    def __init__(self, noun: str, plugins: Sequence[P]) -> None:
        self.noun = noun
        self._plugins = {plugin.slug: plugin for plugin in plugins}
        if len(self._plugins) != len(plugins):
            raise ValueError(f"Two {noun}s share a slug.")

    def __getitem__(self, slug: str) -> P:
        if slug not in self._plugins:
            known = ", ".join(sorted(self._plugins))
            raise Invalid(f"There is no {self.noun} named {slug!r}. Choose one of: {known}.")
        return self._plugins[slug]

    def __iter__(self) -> Iterator[P]:
        return iter(self._plugins.values())

    def __contains__(self, slug: object) -> bool:
        return slug in self._plugins
