"""Browser tests get a real browser and a real stack."""

from tests.browsing import chromium, page, tabs

__all__ = ["chromium", "page", "tabs"]
