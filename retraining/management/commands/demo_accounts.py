"""Shows the demo's accounts, one line for each role."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from projects.demo_people import DEMO_PASSWORD
from projects.models import Membership, Role


class Command(BaseCommand):
    help = "Show the demo's sign-ins for each role."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        of_demo = Membership.objects.filter(project__is_demo=True).order_by("user__username")
        if not of_demo.exists():
            self.stdout.write("  There is no demo here; manage.py load_demo makes it.")
            return
        for role in Role:
            names = of_demo.filter(role=role).values_list("user__username", flat=True).distinct()
            self.stdout.write(f"  {role.label + ':':16} {', '.join(names)}")
        self.stdout.write(f"  password of all: {DEMO_PASSWORD}")
