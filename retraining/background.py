"""Ticks of retraining."""
