"""The API's front door to feedback."""
