"""Addresses of labeling's endpoints, under `/api/v1/`."""

from django.urls import path

from labeling.api import exports

P = "projects/<slug:slug>"

urlpatterns = [
    path(f"{P}/items", exports.ItemExport.as_view(), name="item-export"),
    path(f"{P}/ground-truths", exports.GroundTruthExport.as_view(), name="ground_truth-export"),
]
