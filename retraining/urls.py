"""Addresses of home, of the pages of leads and engineers, and of the demo's switches."""

from django.urls import path

from retraining.views import (
    batches,
    coverage,
    demo,
    gates,
    home,
    imports,
    operations,
    set_up,
    training,
    triggers,
    versions,
)

app_name = "retraining"
P = "p/<slug:slug>"
BATCH = f"{P}/batches/<int:number>"
urlpatterns = [
    path("", home.home_show, name="home-show"),
    path(f"{P}/", home.project_home, name="project-home"),
    path("demo/act-as", demo.demo_act_as, name="demo-act_as"),
    path("demo/reset", demo.demo_reset, name="demo-reset"),
    path("demo/hide-tour", demo.tour_hide, name="tour-hide"),
    path(f"{P}/batches/", batches.batch_list, name="batch-list"),
    path(f"{P}/batches/propose", batches.batch_propose, name="batch-propose"),
    path(BATCH, batches.batch_show, name="batch-show"),
    path(f"{BATCH}/approve", batches.batch_approve, name="batch-approve"),
    path(f"{BATCH}/reject", batches.batch_reject, name="batch-reject"),
    path(f"{BATCH}/refresh", batches.batch_refresh, name="batch-refresh"),
    path(f"{BATCH}/send-back", batches.batch_send_back, name="batch-send_back"),
    path(f"{BATCH}/training", training.training_show, name="training-show"),
    path(f"{BATCH}/cancel", training.training_cancel, name="training-cancel"),
    path(f"{BATCH}/start", training.batch_start, name="batch-start"),
    path(f"{BATCH}/evaluate", training.batch_evaluate, name="batch-evaluate"),
    path(f"{BATCH}/gates", gates.gates_show, name="gates-show"),
    path(f"{BATCH}/promote", gates.batch_promote, name="batch-promote"),
    path(f"{BATCH}/keep", gates.batch_keep, name="batch-keep"),
    path(f"{P}/gates/<int:pk>/waive", gates.gate_waive, name="gate-waive"),
    path(f"{P}/models/", versions.model_list, name="model-list"),
    path(f"{P}/models/<int:pk>/back", versions.version_roll_back, name="version-roll_back"),
    path(f"{P}/models/<int:pk>/file", versions.version_file, name="version-file"),
    path(f"{P}/coverage/", coverage.coverage_show, name="coverage-show"),
    path(f"{P}/coverage/quotas", coverage.quota_save, name="quota-save"),
    path(f"{P}/classes/<int:pk>/accept", coverage.proposal_accept, name="proposal-accept"),
    path(f"{P}/classes/<int:pk>/decline", coverage.proposal_decline, name="proposal-decline"),
    path(f"{P}/triggers/", triggers.trigger_list, name="trigger-list"),
    path(f"{P}/triggers/new", triggers.trigger_create, name="trigger-create"),
    path(f"{P}/triggers/<int:pk>/switch", triggers.trigger_switch, name="trigger-switch"),
    path(f"{P}/triggers/<int:pk>/delete", triggers.trigger_delete, name="trigger-delete"),
    path("projects/new", set_up.project_create, name="project-create"),
    path("projects/new/file", set_up.project_create_from_file, name="project-create_from_file"),
    path(f"{P}/setup/", set_up.project_edit, name="project-edit"),
    path(f"{P}/setup/change", set_up.project_change, name="project-change"),
    path(f"{P}/setup/file", set_up.project_change_from_file, name="project-change_from_file"),
    path(f"{P}/setup/project.yaml", set_up.project_file, name="project-file"),
    path(f"{P}/imports/<int:pk>/undo", imports.import_undo, name="import-undo"),
    path(f"{P}/operations/", operations.operations_show, name="operations-show"),
    path(f"{P}/operations/<int:pk>/retry", operations.job_retry, name="job-retry"),
    path(f"{P}/models/<int:pk>/first", versions.version_deploy_first, name="version-deploy_first"),
]
