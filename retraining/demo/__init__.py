"""The demo: two desks on real data, with twenty days of history made by the real functions."""
