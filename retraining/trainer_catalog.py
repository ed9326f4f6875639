"""What trainers there are and what can be set: light, because pages choose from this list."""

from collections.abc import Mapping
from dataclasses import dataclass

from projects.errors import Invalid
from projects.registry import Registry

Value = float | int | str


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter between two bounds."""

    default: float
    low: float
    high: float
    is_whole: bool = False

    def clean(self, name: str, value: object) -> Value:
        kind = "a whole number" if self.is_whole else "a number"
        refusal = Invalid(f"{name} must be {kind} from {self.low:g} to {self.high:g}.")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refusal
        if self.is_whole and not isinstance(value, int):
            raise refusal
        if not self.low <= value <= self.high:
            raise refusal
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter with a few allowed values."""

    default: Value
    options: tuple[Value, ...]

    def clean(self, name: str, value: object) -> Value:
        for option in self.options:
            if value == option and type(value) is type(option):
                return option
        raise Invalid(f"{name} must be one of {', '.join(map(str, self.options))}.")


@dataclass(frozen=True, slots=True)
class TrainerEntry:
    """What a project chooses from: the name, the task type, the closed set of parameters."""

    slug: str
    title: str
    task_type: str
    parameters: Mapping[str, Number | Choice]
    trusted: tuple[str, ...] = ()  # Types of its files beyond what skops itself trusts.

    def clean_parameters(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Every parameter with its value; raises Invalid for unknown names and bad values."""
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            known = ", ".join(self.parameters)
            raise Invalid(f"{self.title} has no parameter {unknown[0]!r}. Choose from: {known}.")
        return {
            name: parameter.clean(name, given.get(name, parameter.default))
            for name, parameter in self.parameters.items()
        }


TEXT = TrainerEntry(
    slug="text",
    title="Words and characters, logistic regression",
    task_type="text",
    parameters={
        "inverse_penalty": Number(30.0, 0.01, 1000.0),
        "word_share": Number(0.5, 0.0, 2.0),
        "longest_words": Number(2, 1, 3, is_whole=True),
        "longest_characters": Number(4, 2, 6, is_whole=True),
        "most_features": Number(60_000, 100, 500_000, is_whole=True),
        "balance": Number(1.0, 0.0, 1.0),
    },
)
IMAGE = TrainerEntry(
    slug="image",
    title="Small grey images, kernel logistic regression",
    task_type="image",
    parameters={
        "side": Choice(8, (8, 16, 28, 32)),
        "landmarks": Number(400, 10, 2_000, is_whole=True),
        "reach": Number(1.0, 0.1, 10.0),
        "inverse_penalty": Number(100.0, 0.01, 10_000.0),
        "balance": Number(1.0, 0.0, 1.0),
    },
)

TRAINER_CATALOG: Registry[TrainerEntry] = Registry("trainer", [TEXT, IMAGE])
