"""Jobs of feedback."""

from feedback import prediction_imports
from jobs.registry import job

job(prediction_imports.JOB)(prediction_imports.import_predictions)
