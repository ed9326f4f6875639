"""The trainers' code; it imports scikit-learn, so for workers and child processes only."""

from projects.registry import Registry
from retraining.trainers.base import Answers, Report, Trainer
from retraining.trainers.image import ImageTrainer
from retraining.trainers.text import TextTrainer

TRAINERS: Registry[Trainer] = Registry("trainer", [TextTrainer(), ImageTrainer()])

__all__ = ["TRAINERS", "Answers", "Report", "Trainer"]
