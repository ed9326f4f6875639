"""At what rate predictions are drawn for audit; earlier plans stay with their draws."""

from datetime import datetime

from feedback.models import AuditPlan
from projects.errors import Invalid
from projects.models import Project, User


def change_audit_rate(
    *, project: Project, rate: float, at: datetime, by: User | None = None
) -> AuditPlan:
    """A new plan from `at` on; what has been drawn keeps its own probability."""
    if not 0 <= rate <= 1:
        raise Invalid("The audit rate is a share between 0 and 1.")
    return AuditPlan.objects.create(project=project, rate=rate, since=at, by=by)
