"""Addresses of the pages of keys, members and files."""

from django.urls import path

from projects.views import files, keys, members

P = "p/<slug:slug>"
urlpatterns = [
    path(f"{P}/keys/", keys.key_list, name="key-list"),
    path(f"{P}/keys/new", keys.key_create, name="key-create"),
    path(f"{P}/keys/<int:pk>/revoke", keys.key_revoke, name="key-revoke"),
    path(f"{P}/members/", members.member_list, name="member-list"),
    path(f"{P}/members/new", members.member_add, name="member-add"),
    path(f"{P}/members/<int:pk>", members.member_change, name="member-change"),
    path(f"{P}/members/<int:pk>/owner", members.member_own, name="member-own"),
    path(f"{P}/members/<int:pk>/link", members.member_link, name="member-link"),
    path(f"{P}/members/<int:pk>/remove", members.member_remove, name="member-remove"),
    path(f"{P}/files/<str:digest>", files.file_show, name="file-show"),
]
