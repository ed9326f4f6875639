"""Addresses of retraining's endpoints, under `/api/v1/`."""

from django.urls import path

from retraining.api import batches, cases, promotion, proposals

BATCHES = "projects/<slug:slug>/batches"
BATCH = f"{BATCHES}/<int:number>"

PROPOSALS = "projects/<slug:slug>/class-proposals"

urlpatterns = [
    path(PROPOSALS, proposals.ProposalList.as_view(), name="class_proposal-list"),
    path(
        f"{PROPOSALS}/<int:pk>/accept",
        proposals.ProposalAcceptance.as_view(),
        name="class_proposal-accept",
    ),
    path(
        f"{PROPOSALS}/<int:pk>/decline",
        proposals.ProposalRefusal.as_view(),
        name="class_proposal-decline",
    ),
    path(BATCHES, batches.BatchList.as_view(), name="batch-list"),
    path(f"{BATCHES}/propose", batches.BatchProposal.as_view(), name="batch-propose"),
    path(BATCH, batches.BatchDetail.as_view(), name="batch-detail"),
    path(f"{BATCH}/gates", batches.BatchGates.as_view(), name="batch-gates"),
    path(f"{BATCH}/approve", batches.BatchApproval.as_view(), name="batch-approve"),
    path(f"{BATCH}/reject", batches.BatchRejection.as_view(), name="batch-reject"),
    path(f"{BATCH}/cancel", batches.BatchCancellation.as_view(), name="batch-cancel"),
    path(f"{BATCH}/retry", batches.BatchRetry.as_view(), name="batch-retry"),
    path(f"{BATCH}/refresh", batches.BatchRefresh.as_view(), name="batch-refresh"),
    path(f"{BATCH}/promote", promotion.BatchPromotion.as_view(), name="batch-promote"),
    path(
        f"{BATCH}/do-not-promote",
        promotion.BatchDecisionAgainst.as_view(),
        name="batch-do_not_promote",
    ),
    path(f"{BATCH}/waive", promotion.GateWaiver.as_view(), name="gate-waive"),
    path(f"{BATCH}/broken-cases", cases.BrokenCaseList.as_view(), name="broken_case-list"),
    path(
        f"{BATCH}/broken-cases/<int:pk>/review",
        cases.BrokenCaseReview.as_view(),
        name="broken_case-review",
    ),
    path(
        "projects/<slug:slug>/regression-cases/<int:pk>/pin",
        cases.CasePin.as_view(),
        name="case-pin",
    ),
    path("projects/<slug:slug>/roll-back", promotion.Rollback.as_view(), name="roll-back"),
    path(
        "projects/<slug:slug>/deployments",
        promotion.DeploymentList.as_view(),
        name="deployment-list",
    ),
    path("projects/<slug:slug>/receipts", promotion.ReceiptList.as_view(), name="receipt-list"),
    path(
        "projects/<slug:slug>/receipts/<int:pk>/still-wrong",
        promotion.ReceiptStillWrong.as_view(),
        name="receipt-still_wrong",
    ),
]
