"""What trainers there are, without importing scikit-learn: pages choose from this list.

A contract test holds it equal to `retraining.trainers.TRAINERS`.
"""

from dataclasses import dataclass

from projects.registry import Registry


@dataclass(frozen=True)
class TrainerEntry:
    slug: str
    title: str
    task_type: str


TRAINER_CATALOG: Registry[TrainerEntry] = Registry(
    "trainer",
    [
        TrainerEntry("text", "Words and characters, logistic regression", "text"),
        TrainerEntry("image", "Small images", "image"),
    ],
)
