"""Footage for the tests, drawn once for each session, and one warm child that looks at it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.footage import draw_clip
from workers.vision.child import Looker

Look = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The allowed root of these tests."""
    return tmp_path_factory.mktemp("footage")


@pytest.fixture(scope="session")
def clip(footage: Path) -> Callable[..., Path]:
    """``clip("fall")`` draws a scene once, small and short, and answers its path."""

    def drawn(
        scene: str, seconds: float = 6.0, size: tuple[int, int] = (960, 540), fps: int = 8, suffix: str = ".mp4"
    ) -> Path:
        path = footage / f"{scene}-{seconds}-{size[0]}-{fps}{suffix}"
        if not path.exists():
            draw_clip(path, scene, seconds, size, fps)
        return path

    return drawn


@pytest.fixture(scope="session")
def looker() -> Iterator[Looker]:
    with Looker() as warm:
        assert warm.warm()
        yield warm


@pytest.fixture(scope="session")
def known() -> dict[str, dict[str, Any]]:
    """Answers of this session: the same question about the same drawn clip is asked once."""
    return {}


@pytest.fixture
def look(looker: Looker, footage: Path, known: dict[str, dict[str, Any]]) -> Look:
    """``look(kind="file", path=…)`` with short time-outs and long limits; ``config`` and ``window`` may be given."""

    def answer(
        window: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **source: Any
    ) -> dict[str, Any]:
        limits = {
            "allowed_roots": [str(footage)],
            "open_timeout_s": 1.0,
            "read_timeout_s": 1.0,
            "budget_s": 50.0,
            "wall_s": 70.0,
            **(config or {}),
        }
        question = json.dumps([source, window, limits])
        if source.get("kind") != "file":
            return looker.look(source, window or {"seconds": 10}, limits)
        if question not in known:
            known[question] = looker.look(source, window or {"seconds": 10}, limits)
        return copy.deepcopy(known[question])

    return answer
