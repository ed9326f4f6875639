"""What the import linter cannot see: keys between tables, and what the web process loads."""

from __future__ import annotations

import subprocess
import sys

from django.apps import apps

from tests.architecture.tree import APPS, ROOT, code_modules

# From the lowest; events and jobs know nobody, and a project only by its id.
RANK = {"events": 0, "jobs": 0, "projects": 1, "feedback": 2, "labeling": 3, "monitoring": 4}
RANK["retraining"] = 5
HEAVY = ["sklearn", "pandas", "numpy", "scipy", "pyarrow", "skops", "joblib"]


def test_foreign_keys_point_downwards() -> None:
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and not field.auto_created
        and not isinstance(field.related_model, str | None)
        and field.related_model._meta.app_label in RANK
        and (app, RANK[app]) != (field.related_model._meta.app_label, RANK[app])
        and RANK[field.related_model._meta.app_label] >= RANK[app]
    ]

    assert upward == []


def test_nobody_reaches_a_model_by_its_name() -> None:
    by_name = [
        str(path.relative_to(ROOT))
        for path in code_modules()
        if "apps.get_model(" in path.read_text()
    ]

    assert by_name == []


def test_the_web_process_loads_no_learning_libraries() -> None:
    script = (
        "import sys, config.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )

    made = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert made.returncode == 0, made.stderr
    assert made.stdout.strip().splitlines()[-1] == "[]"
