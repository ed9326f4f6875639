"""`project.yaml` is read, or refused with what to do; nothing in it breaks a page."""

from __future__ import annotations

import pytest

from projects.errors import Invalid
from retraining.project_file import LONGEST_FILE, read_project_file, write_project_file

RULE = "name: t, conditions: [{kind: quota}]"


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("name: ' '", "name"),
        (f"name: {'n' * 121}", "120"),
        (f"question: {'q' * 201}", "200"),
        (r'guideline: "a\0b"', "NUL"),
        (r'guideline: "\ud800"', "half a character"),
        ("evaluation_share: .nan", "evaluation_share"),
        ("evaluation_share: 1", "evaluation_share"),
        ("accuracy_target: 7", "accuracy_target"),
        ("audit_rate: -1", "audit_rate"),
        ("queues: [{overlap: 0}]", "overlap"),
        ("queues: [{overlap: 99999999999999999999}]", "overlap"),
        ("queues: [{lease_minutes: .nan}]", "lease_minutes"),
        ("queues: [{lease_minutes: .inf}]", "lease_minutes"),
        ("queues: [{service_hours: -3}]", "service_hours"),
        ("queues: [{slug: a}, {slug: a}]", "'a' is there twice"),
        ("queues: [{slug: a b}]", "'a b'"),
        ("routing: [{source: rumour}]", "rumour"),
        ("routing: [{source: import}]", "nothing comes to a queue from 'import'"),
        ("routing: [{head_start_hours: 337}]", "head_start_hours"),
        ("routing: []", "takes what no other"),
        ("routing: [{source: flag}]", "takes what no other"),
        ("routing: [{least_severity: -1}]", "least_severity"),
        ("routing: [{least_severity: 4}]", "least_severity"),
        ("quotas: [{wanted: -1}]", "wanted"),
        ("quotas: [{wanted: 1, label_class: x}]", "'x' is not one of the classes"),
        ("quotas: [{wanted: 1}, {wanted: 2}]", "all rows is there twice"),
        ("quotas: [{wanted: 1, segment_value: de}]", "'de' needs its segment_key"),
        ("segment_keys: ['7']", "'7' needs a letter"),
        ("quotas: [{wanted: 5, segment_key: plan}]", "'plan'"),
        ("segment_keys: [plan, plan]", "'plan' is there twice"),
        ("segment_keys: ['']", "segment_keys"),
        (f"triggers: [{{{RULE}}}, {{{RULE}}}]", "'t' is there twice"),
        ("triggers: [{name: t, conditions: []}]", "conditions"),
        ("triggers: [{name: t, conditions: [{kind: [quota]}]}]", "conditions"),
        (f"triggers: [{{{RULE}, cool_down_hours: -5}}]", "cool_down_hours"),
        (f"classes: {'[' * 3000}{']' * 3000}", "nested"),
        (f"guideline: {'x' * LONGEST_FILE}", "characters"),
    ],
)
def test_what_cannot_be_stored_or_shown_is_refused_in_words(lines: str, word: str) -> None:
    head = "" if lines.startswith("name") else "name: Parcels\n"

    with pytest.raises(Invalid, match=word):
        read_project_file(head + lines)


def test_a_backslash_before_zeros_is_no_nul() -> None:
    spec = read_project_file(r"{name: Parcels, guideline: 'C:\u0000'}")

    assert spec.guideline == r"C:\u0000"
    assert read_project_file(write_project_file(spec)) == spec
