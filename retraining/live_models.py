"""The live versions of all projects, open in memory; a promotion is noticed within a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError, connection
from django.db.models import Max

from projects.errors import DomainError
from projects.models import Deployment, ModelVersion, Project
from retraining.open_models import OpenModel, open_version
from retraining.signatures import ArtifactRefused

log = structlog.get_logger()

LOOK_SECONDS = 0.25  # Four small queries a second; a promotion is to be noticed within one.
LATEST_SECONDS = 1.0  # After this a request looks for itself, whatever became of the watcher.
RETRY_SECONDS = 5.0  # For a model that does not open: the file may be restored meanwhile.


class NotServed(DomainError):
    """There is no live version that this process could answer with."""

    status = 409
    code = "not_served"


class Unavailable(DomainError):
    """Not now; the same question can be asked again."""

    status = 503
    code = "unavailable"


@dataclass(frozen=True)
class Live:
    """One project's newest deployment, and its model where there is one that opens."""

    sequence: int
    version: ModelVersion
    model: OpenModel | None = None
    problem: str = ""
    loaded_at: float = field(default_factory=time.monotonic)

    @property
    def is_to_retry(self) -> bool:
        return bool(self.problem) and time.monotonic() - self.loaded_at > RETRY_SECONDS


class LiveModels:
    """Looks at the deployments and keeps their models; threads share one."""

    def __init__(self) -> None:
        self._live: dict[int, Live] = {}
        self._looking = threading.Lock()
        self._looked_at = float("-inf")
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        """Watch from a thread of its own, so that no request waits for a model to load."""
        self._stop.clear()
        self._watcher = threading.Thread(target=self._watch, name="live-models", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()

    def find(self, project: Project) -> tuple[ModelVersion, OpenModel]:
        """The live version and its model; raises NotServed or Unavailable with the reason."""
        is_late = time.monotonic() - self._looked_at > LATEST_SECONDS
        # Whoever is looking may take long to load a model: until then what is known answers.
        if project.pk not in self._live or (is_late and not self._looking.locked()):
            self.look()
        live = self._live.get(project.pk)
        if live is None:
            raise NotServed("This project has no live version yet. Promote one first.")
        if live.problem:
            raise Unavailable(f"The live version {live.version.name} cannot answer. {live.problem}")
        if live.model is None:
            raise NotServed(
                f"The live version {live.version.name} is an external one: it is not served here. "
                "Ask your own service, and send what it answers to /predictions."
            )
        return live.version, live.model

    def look(self) -> None:
        """Load what was deployed since the last look, and forget what is gone."""
        with self._looking:
            newest = dict(
                Deployment.objects.filter(role=Deployment.Role.CHAMPION)
                .values_list("project_id")
                .annotate(newest=Max("sequence"))
                .order_by()
            )
            for project_id, sequence in newest.items():
                known = self._live.get(project_id)
                if known is None or known.sequence != sequence or known.is_to_retry:
                    self._load(project_id)
            for project_id in self._live.keys() - newest.keys():
                del self._live[project_id]
            self._looked_at = time.monotonic()

    def problems(self) -> list[str]:
        """Live versions that cannot answer, in words."""
        live = list(self._live.values())
        return [f"{one.version.name}: {one.problem}" for one in live if one.problem]

    @property
    def seconds_since_look(self) -> float:
        return time.monotonic() - self._looked_at

    def _load(self, project_id: int) -> None:
        line = Deployment.objects.current(project_id)
        if line is None:
            return
        self._live[project_id] = self._open(line)
        log.info("live_version_loaded", project_id=project_id, version_id=line.version_id)

    def _open(self, line: Deployment) -> Live:
        version = line.version
        if version.kind == ModelVersion.Kind.EXTERNAL:
            return Live(line.sequence, version)
        try:
            return Live(line.sequence, version, open_version(version))
        except (ArtifactRefused, OSError, MemoryError) as error:
            log.error("live_version_refused", version_id=version.pk, reason=str(error))
            return Live(line.sequence, version, problem=str(error) or type(error).__name__)

    def _watch(self) -> None:
        try:
            while not self._stop.wait(LOOK_SECONDS):
                self._look_from_afar()
        finally:
            connection.close()

    def _look_from_afar(self) -> None:
        try:
            self.look()
        except DatabaseError as error:
            log.warning("live_versions_unknown", reason=type(error).__name__)
            connection.close()
