"""The API's front door to retraining, and the predictor's."""
