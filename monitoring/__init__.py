"""Audit plans, honest estimates and the report."""
