"""The limits of size and shape: held from the first commit, raised only by a decision record."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import APPS, ROOT, code_modules, own_scripts, parsed, templates

MODULE_MOST, MODULE_MEDIAN, MODULE_P90 = 400, 100, 250
FUNCTION_MOST, FUNCTION_BRANCHES = 60, 10
SCRIPT_LINES = 2_500
TEST_SHARE = 1.0
TEMPLATE_P90 = 90
STYLE_LINES = 900
RUNTIME_DEPENDENCIES = 30
VAGUE = {
    "utils", "util", "helpers", "helper", "misc", "common", "functions", "lib", "manager",
    "handlers", "tools", "stuff", "core", "services", "selectors", "signals",
}  # fmt: skip
BRANCHES = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case, ast.AsyncFor)


def line_count(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in code_modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def p90(sizes: list[int]) -> int:
    return sorted(sizes)[int(len(sizes) * 0.9)]


def test_no_module_is_longer_than_the_limit() -> None:
    sizes = {str(path.relative_to(ROOT)): line_count(path) for path in code_modules()}

    assert {name: size for name, size in sizes.items() if size > MODULE_MOST} == {}


def test_most_modules_are_short() -> None:
    sizes = [size for path in code_modules() if (size := line_count(path)) > 1]

    assert statistics.median(sizes) <= MODULE_MEDIAN
    assert p90(sizes) <= MODULE_P90


def test_no_function_is_longer_than_the_limit() -> None:
    sizes = {where: (node.end_lineno or 0) - node.lineno + 1 for where, node in functions()}

    assert {name: size for name, size in sizes.items() if size > FUNCTION_MOST} == {}


def test_no_function_has_too_many_branches() -> None:
    branches = {
        where: sum(isinstance(inner, BRANCHES) for inner in ast.walk(node))
        for where, node in functions()
    }

    assert {name: count for name, count in branches.items() if count > FUNCTION_BRANCHES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in code_modules() if path.stem in VAGUE] == []


def test_every_module_says_in_one_line_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in code_modules()
        if path.read_text().strip() and not ast.get_docstring(parsed(path))
    ]

    assert silent == []


def test_there_is_as_much_test_as_code() -> None:
    code = sum(line_count(path) for path in code_modules())
    tests = sum(line_count(path) for path in (ROOT / "tests").rglob("*.py"))

    assert tests / code >= TEST_SHARE


def test_our_own_script_stays_small() -> None:
    assert sum(line_count(path) for path in own_scripts()) <= SCRIPT_LINES


def test_our_own_styles_stay_small() -> None:
    assert sum(line_count(path) for path in (ROOT / "static" / "css").glob("*.css")) <= STYLE_LINES


def test_most_templates_are_short() -> None:
    sizes = [line_count(path) for path in templates()]
    if not sizes:
        pytest.fail("there are no templates")

    assert p90(sizes) <= TEMPLATE_P90


def test_the_runtime_has_few_dependencies(project_file: dict[str, dict[str, list[str]]]) -> None:
    assert len(project_file["project"]["dependencies"]) <= RUNTIME_DEPENDENCIES


def test_every_app_is_measured() -> None:
    measured = {path.relative_to(ROOT).parts[0] for path in code_modules()}

    assert set(APPS) <= measured
