"""Addresses of feedback's endpoints, under `/api/v1/`."""

from django.urls import path

from feedback.api import files, flags, predictions

P = "projects/<slug:slug>"

urlpatterns = [
    path(f"{P}/predictions", predictions.PredictionList.as_view(), name="prediction-list"),
    path(
        f"{P}/predictions/<int:pk>",
        predictions.PredictionDetail.as_view(),
        name="prediction-detail",
    ),
    path(f"{P}/flags", flags.FlagList.as_view(), name="flag-list"),
    path(f"{P}/issues", flags.IssueList.as_view(), name="issue-list"),
    path(f"{P}/files", files.FileList.as_view(), name="file-list"),
]
