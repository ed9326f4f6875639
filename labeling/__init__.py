"""Queues, items, slots, annotations and ground truth."""
