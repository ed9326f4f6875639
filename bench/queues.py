"""A project with a long queue and its annotators, made fast: what the labeling benches work on."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from jobs import clock
from labeling.models import Queue
from projects.creating import give_role
from projects.models import Project, Role, User
from retraining.project_file import ProjectSpec, QueueSpec
from retraining.setting_up import set_up_project

CLASSES = ["billing", "delivery", "refund", "account"]
ITEMS = """
INSERT INTO labeling_item (code, project_id, queue_id, identity, input, context, segments, use,
                           state, round, sealed_round, created_at, queued_at)
SELECT gen_random_uuid(), %(project)s, %(queue)s, md5(n::text) || md5('b' || n),
       jsonb_build_object('text', repeat('where is my parcel ', 10) || n), '{}', '{}', 'train',
       'open', 1, 0, %(at)s, %(at)s + n * interval '1 millisecond'
FROM generate_series(1, %(items)s) AS n
"""
SLOTS = """
INSERT INTO labeling_slot (project_id, queue_id, item_id, round, number, state, fence, order_key)
SELECT project_id, queue_id, labeling_item.id, 1, number, 'open', 0,
       (extract(epoch FROM queued_at) * 1000)::bigint
FROM labeling_item, generate_series(1, %(overlap)s) AS number
WHERE queue_id = %(queue)s
ORDER BY labeling_item.id, number
"""


@dataclass(frozen=True)
class Desk:
    """A queue with its items and the people who serve it."""

    project: Project
    queue: Queue
    annotators: list[User]


def make_desk(name: str, *, items: int, overlap: int, annotators: int) -> Desk:
    """The items come straight into the table: queueing is not what is measured."""
    at = clock.now()
    owner = User.objects.create_user(f"{name}-owner")
    spec = ProjectSpec(
        name=name,
        classes=CLASSES,
        guideline="Judge the message.",
        queues=[QueueSpec(overlap=overlap)],
    )
    project = set_up_project(spec=spec, owner=owner, at=at)
    queue = project.queues.get()
    people = [User.objects.create_user(f"{name}-{number}") for number in range(annotators)]
    for person in people:
        give_role(project=project, user=person, role=Role.ANNOTATOR, at=at, by=owner)
    with connection.cursor() as cursor:
        cursor.execute(ITEMS, {"project": project.pk, "queue": queue.pk, "at": at, "items": items})
        cursor.execute(SLOTS, {"overlap": overlap, "queue": queue.pk})
        cursor.execute("ANALYZE")
    return Desk(project, queue, people)
