"""All addresses of the predictor."""

from django.urls import path

from config import health, predictor_policies
from retraining.api import predict

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", predictor_policies.readyz, name="readyz"),
    path("api/v1/projects/<slug:slug>/predict", predict.predict, name="predict"),
    path("internal/answer", predict.internal_answer, name="internal-answer"),
]
handler404 = predictor_policies.not_found
handler500 = predictor_policies.failed
