"""Addresses of the monitor and the report."""

from django.urls import path

from monitoring.views import monitor, report

app_name = "monitoring"
urlpatterns = [
    path("p/<slug:slug>/monitor/", monitor.monitor_show, name="monitor-show"),
    path("p/<slug:slug>/monitor/plan", monitor.plan_change, name="plan-change"),
    path("p/<slug:slug>/report/", report.report_show, name="report-show"),
]
