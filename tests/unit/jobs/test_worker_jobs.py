"""Job functions with heavy libraries are found when they are needed, and not before."""

import pytest

from jobs.errors import JobFailed
from jobs.registry import JOBS, find_job, load_worker_jobs


def test_a_kind_that_only_workers_know_is_loaded_on_demand() -> None:
    assert find_job("retraining.train") is JOBS["retraining.train"]


def test_loading_twice_registers_once() -> None:
    load_worker_jobs()
    load_worker_jobs()

    assert "retraining.train" in JOBS


def test_an_unknown_kind_is_a_failure_and_not_a_crash() -> None:
    with pytest.raises(JobFailed, match="No function is registered"):
        find_job("nobody.knows")
