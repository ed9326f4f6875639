"""Addresses of the forms of agents; the pages that tell a flag's whole story are retraining's."""

from django.urls import path

from feedback.views import find, flags, issues

urlpatterns = [
    path("p/<slug:slug>/answers/", find.prediction_find, name="prediction-find"),
    path("p/<slug:slug>/answers/<int:pk>/too", flags.prediction_me_too, name="prediction-me_too"),
    path("p/<slug:slug>/flags/new", flags.flag_create, name="flag-create"),
    path("p/<slug:slug>/flags/several", flags.flag_several, name="flag-several"),
    path("p/<slug:slug>/flags/<uuid:code>/back", flags.flag_withdraw, name="flag-withdraw"),
    path("p/<slug:slug>/issues/", issues.issue_list, name="issue-list"),
    path("p/<slug:slug>/issues/<int:number>/merge", issues.issue_merge, name="issue-merge"),
    path("p/<slug:slug>/issues/<int:number>/decline", issues.issue_decline, name="issue-decline"),
    path("p/<slug:slug>/issues/<int:number>/rename", issues.issue_rename, name="issue-rename"),
]
