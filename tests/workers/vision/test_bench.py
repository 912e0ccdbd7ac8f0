"""The bench says so when its footage is not there, instead of printing figures of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import vision


def test_without_footage_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--footage", str(tmp_path / "absent")])
    assert vision.main() == 0
    assert "nothing measured" in capsys.readouterr().out


def test_a_person_is_matched_by_one_box_only() -> None:
    box = (0.4, 0.4, 0.1, 0.2)
    assert vision._matched([(0.45, 0.5), (0.46, 0.5)], [box]) == 1
    assert vision._matched([(0.45, 0.5), (0.9, 0.9)], [box, (0.42, 0.42, 0.1, 0.2)]) == 1
    assert vision._matched([], [box]) == 0
