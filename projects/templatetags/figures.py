"""Figures as a reader wants them: shares as per cent, differences in points with their sign."""

from django import template

register = template.Library()

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """0.812 as "81%"; nothing as a dash."""
    return DASH if share is None else f"{share * 100:.{digits}f}%"


@register.filter
def points(difference: float | None) -> str:
    """A difference of two shares in points, 0.031 as "+3.1"."""
    return DASH if difference is None else f"{difference * 100:+.1f}".replace("-", MINUS)
