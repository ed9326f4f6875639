"""Commands of labeling."""
