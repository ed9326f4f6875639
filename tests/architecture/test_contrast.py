"""Text is readable on every surface in both schemes: WCAG 2 AA, computed from the tokens."""

from __future__ import annotations

import math
import re

import pytest

from tests.architecture.tree import ROOT

TOKENS = (ROOT / "static" / "css" / "tokens.css").read_text()
TEXT, SHAPE = 4.5, 3.0
SURFACES = ["bg", "panel", "wash", "accent-wash", "good-wash", "warn-wash", "bad-wash"]
Colour = tuple[float, float, float]


def colour(words: str) -> Colour:
    if words == "#fff":
        return (1.0, 0.0, 0.0)
    lightness, chroma, hue = words.removeprefix("oklch(").removesuffix(")").split()
    return (float(lightness.rstrip("%")) / 100, float(chroma), float(hue))


def token(name: str, scheme: str) -> Colour:
    found = re.search(rf"--{name}: light-dark\((oklch\([^)]*\)|#fff), (oklch\([^)]*\))\)", TOKENS)
    assert found, name
    return colour(found[1 if scheme == "light" else 2])


def luminance(given: Colour) -> float:
    """OKLCH to linear sRGB by Ottosson's matrices, then WCAG's weights."""
    lightness, chroma, hue = given
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, part)) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: Colour, second: Colour) -> float:
    darker, lighter = sorted([luminance(first), luminance(second)])
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself_is_right() -> None:
    assert contrast((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)) == pytest.approx(21, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "soft", "faint", "accent", "good", "warn", "bad"])
def test_text_is_readable_on_every_surface(text: str, scheme: str) -> None:
    poor = {
        surface: round(measured, 2)
        for surface in SURFACES
        if (measured := contrast(token(text, scheme), token(surface, scheme))) < TEXT
    }

    assert poor == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "surface"),
    [("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-float", "float")],
)
def test_text_is_readable_on_what_stands_out(text: str, surface: str, scheme: str) -> None:
    assert contrast(token(text, scheme), token(surface, scheme)) >= TEXT


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("surface", ["bg", "panel"])
def test_the_edge_of_a_field_can_be_seen(surface: str, scheme: str) -> None:
    assert contrast(token("edge", scheme), token(surface, scheme)) >= SHAPE
