"""The API's front door to labeling."""
