"""Addresses of feedback's endpoints, under `/api/v1/`."""

from django.urls import path

from feedback.api import files, flags, issues, predictions

P = "projects/<slug:slug>"
ISSUE = f"{P}/issues/<int:number>"

urlpatterns = [
    path(f"{P}/predictions", predictions.PredictionList.as_view(), name="prediction-list"),
    path(
        f"{P}/predictions/<int:pk>",
        predictions.PredictionDetail.as_view(),
        name="prediction-detail",
    ),
    path(f"{P}/flags", flags.FlagList.as_view(), name="flag-list"),
    path(f"{P}/issues", flags.IssueList.as_view(), name="issue-list"),
    path(f"{ISSUE}/merge", issues.IssueMerge.as_view(), name="issue-merge"),
    path(f"{ISSUE}/rename", issues.IssueRename.as_view(), name="issue-rename"),
    path(f"{ISSUE}/decline", issues.IssueDecline.as_view(), name="issue-decline"),
    path(f"{P}/files", files.FileList.as_view(), name="file-list"),
    path(f"{P}/files/<str:digest>", files.FileDetail.as_view(), name="file-detail"),
]
