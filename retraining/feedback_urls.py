"""Addresses of the pages that tell a flag's whole story; config puts them among feedback's."""

from django.urls import path

from retraining.views import stories

urlpatterns = [
    path("p/<slug:slug>/answers/<int:pk>", stories.prediction_show, name="prediction-show"),
    path("p/<slug:slug>/answers/<int:pk>/flag", stories.prediction_flag, name="prediction-flag"),
    path("p/<slug:slug>/flags/", stories.flag_mine, name="flag-mine"),
    path("p/<slug:slug>/flags/<uuid:code>/wrong", stories.flag_reopen, name="flag-reopen"),
    path("p/<slug:slug>/issues/<int:number>", stories.issue_show, name="issue-show"),
]
