"""Predictions, audit draws, flags and issues."""
