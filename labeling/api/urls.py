"""Addresses of labeling's endpoints, under `/api/v1/`."""

from django.urls import path

from labeling.api import disputes, exports, work

P = "projects/<slug:slug>"
DISPUTED = f"{P}/disputed-items"
LEASE = f"{P}/leases/<uuid:code>"

urlpatterns = [
    path(f"{P}/items", exports.ItemExport.as_view(), name="item-export"),
    path(f"{P}/ground-truths", exports.GroundTruthExport.as_view(), name="ground_truth-export"),
    path(f"{P}/queues", work.QueueList.as_view(), name="queue-list"),
    path(f"{P}/queues/<slug:queue>/take", work.QueueTake.as_view(), name="queue-take"),
    path(f"{LEASE}/answer", work.LeaseAnswer.as_view(), name="lease-answer"),
    path(f"{LEASE}/skip", work.LeaseSkip.as_view(), name="lease-skip"),
    path(f"{LEASE}/renew", work.LeaseRenewal.as_view(), name="lease-renew"),
    path(
        f"{P}/annotations/<uuid:code>/undo", work.AnnotationUndo.as_view(), name="annotation-undo"
    ),
    path(DISPUTED, disputes.DisputedItemList.as_view(), name="disputed_item-list"),
    path(
        f"{DISPUTED}/<uuid:code>",
        disputes.DisputedItemDetail.as_view(),
        name="disputed_item-detail",
    ),
    path(
        f"{DISPUTED}/<uuid:code>/settle",
        disputes.DisputedItemSettlement.as_view(),
        name="disputed_item-settle",
    ),
    path(
        f"{DISPUTED}/<uuid:code>/send-back",
        disputes.DisputedItemReturn.as_view(),
        name="disputed_item-send_back",
    ),
]
