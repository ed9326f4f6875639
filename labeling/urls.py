"""Addresses of the pages of annotators and reviewers."""

from django.urls import path

from labeling.views import work

app_name = "labeling"
urlpatterns = [
    path("p/<slug:slug>/work/", work.work_start, name="work-start"),
    path("p/<slug:slug>/work/<slug:queue>/", work.queue_work, name="queue-work"),
    path("p/<slug:slug>/work/answer/<uuid:code>", work.lease_answer, name="lease-answer"),
    path("p/<slug:slug>/work/skip/<uuid:code>", work.lease_skip, name="lease-skip"),
    path("p/<slug:slug>/work/keep/<uuid:code>", work.lease_keep, name="lease-keep"),
    path("p/<slug:slug>/work/undo/<uuid:code>", work.annotation_undo, name="annotation-undo"),
]
