"""What a team's file gives to rehearse on, and what is said of the rest."""

from pathlib import Path

from retraining.rehearsal.history import read_history
from retraining.rehearsal.options import RehearsalOptions


def test_rows_that_were_left_out_are_told_by_file(tmp_path: Path) -> None:
    data, test = tmp_path / "history.csv", tmp_path / "test.csv"
    teams = ("delivery", "billing")
    lines = [f"message {n} about {team},{team}" for team in teams for n in range(200)]
    data.write_text("\n".join(["text,team", *lines, "nobody knows,", ",billing"]))
    test.write_text("text,team\nwhere is it,delivery\nthe bill,billing\n")
    options = RehearsalOptions(data=data, input_column="text", label_column="team", test=test)

    parts = read_history(options)

    assert "Left out of history.csv, without an input or a label: 2 rows." in parts.notes
    assert not any("test.csv" in note for note in parts.notes)
