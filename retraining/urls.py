"""Addresses of home, of the pages of leads and engineers, and of the demo's switches."""

from django.urls import path

from retraining.views import demo, home

app_name = "retraining"
urlpatterns = [
    path("", home.home_show, name="home-show"),
    path("p/<slug:slug>/", home.project_home, name="project-home"),
    path("demo/act-as", demo.demo_act_as, name="demo-act_as"),
    path("demo/reset", demo.demo_reset, name="demo-reset"),
    path("demo/hide-tour", demo.tour_hide, name="tour-hide"),
]
