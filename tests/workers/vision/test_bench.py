"""The bench says so when its footage is not there, instead of printing figures of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import vision, vision_load


def test_without_footage_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--footage", str(tmp_path / "absent")])
    assert vision.main() == 0
    assert "nothing measured" in capsys.readouterr().out


def test_a_part_whose_footage_is_missing_says_so_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vision.measured("far", tmp_path) == []
    assert "far: not measured, footage is missing (vtest_points.json)" in capsys.readouterr().err


def test_the_table_marks_what_misses_its_aim() -> None:
    good, bad = (vision.Figure("falls", value, "", "≥ .93", value >= 0.93) for value in (1.0, 0.5))
    told = vision.table([good, bad]).splitlines()
    assert told[-2].endswith("| met |")
    assert told[-1].endswith("| **missed** |")


def test_the_pipelines_own_work_is_what_no_model_does() -> None:
    assert vision_load.overhead(spent=2.0, decode=0.4, stills=0.4, raw=1.0) == pytest.approx(0.2)
    assert vision_load.overhead(1.0, 0.0, 0.0, 0.0) == 0.0
