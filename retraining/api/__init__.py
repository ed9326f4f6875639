"""The API's front door to retraining."""
