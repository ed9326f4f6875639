"""The append-only log of state changes."""
