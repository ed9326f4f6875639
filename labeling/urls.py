"""Addresses of the pages of annotators and reviewers."""

from django.urls import path

from labeling.views import adjudicate, imports, mine, work

app_name = "labeling"
urlpatterns = [
    path("p/<slug:slug>/work/", work.work_start, name="work-start"),
    path("p/<slug:slug>/work/<slug:queue>/", work.queue_work, name="queue-work"),
    path("p/<slug:slug>/work/item/<uuid:code>", work.lease_show, name="lease-show"),
    path("p/<slug:slug>/work/answer/<uuid:code>", work.lease_answer, name="lease-answer"),
    path("p/<slug:slug>/work/skip/<uuid:code>", work.lease_skip, name="lease-skip"),
    path("p/<slug:slug>/work/keep/<uuid:code>", work.lease_keep, name="lease-keep"),
    path("p/<slug:slug>/work/undo/<uuid:code>", work.annotation_undo, name="annotation-undo"),
    path("p/<slug:slug>/my-work/", mine.annotation_mine, name="annotation-mine"),
    path("p/<slug:slug>/disputed/", adjudicate.item_next_disputed, name="item-next_disputed"),
    path("p/<slug:slug>/disputed/<uuid:code>", adjudicate.item_adjudicate, name="item-adjudicate"),
    path("p/<slug:slug>/disputed/<uuid:code>/back", adjudicate.item_requeue, name="item-requeue"),
    path("p/<slug:slug>/imports/", imports.import_list, name="import-list"),
    path("p/<slug:slug>/imports/new", imports.import_create, name="import-create"),
    path("p/<slug:slug>/imports/map", imports.import_map, name="import-map"),
    path("p/<slug:slug>/imports/<int:pk>", imports.import_progress, name="import-progress"),
]
