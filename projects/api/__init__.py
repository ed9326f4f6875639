"""The API's front door to projects, and what every endpoint shares."""
