"""A city's own ONNX model: found where it says, tried when it is loaded, and harmless when it is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.cities import queries as cities
from domain.cities.config import CameraDetector
from tests.factories.onnx_files import bright_spot, described, skin_cells
from workers.vision import jobs
from workers.vision.config import VisionConfig
from workers.vision.cv import Image, cv2
from workers.vision.own_models import ModelError, OwnModel, read_spec

Look = Callable[..., dict[str, Any]]
KNIFE = [32, 16, 16, 8, 1.0, 0.9, 0.0]  # middle, size, "something", knife, bag: of a 64x64 input
BAG = [8, 48, 8, 16, 1.0, 0.0, 0.5]


def loaded(path: Path) -> OwnModel:
    model = OwnModel()
    model.load({"model": str(path)})
    return model


def picture(width: int = 128, height: int = 64, level: int = 255) -> Any:
    return np.full((height, width, 3), level, np.uint8)


def test_a_model_finds_what_it_knows_where_it_is_in_the_picture(tmp_path: Path) -> None:
    stretched = "{ width = 64, height = 64, scale = 0.00392156862745098, fit = 'stretch' }"
    model = loaded(described(tmp_path, bright_spot([KNIFE, BAG]), input=stretched))
    assert (model.name, tuple(model.labels), tuple(model.ask)) == ("spot", ("knife", "bag"), ("knife",))
    knife, bag = sorted(model.detect(picture()), key=lambda one: -one.score)
    assert (knife.kind, bag.kind) == ("knife", "bag")
    assert knife.score == pytest.approx(0.9, abs=0.01)
    assert knife.bbox == pytest.approx((24 / 64, 12 / 64, 16 / 64, 8 / 64), abs=0.01)
    assert model.detect(picture(level=0)) == []
    part = model.detect(picture(), (64, 0, 64, 64))  # the right half: fractions are of the whole picture
    assert part[0].bbox == pytest.approx((0.5 + 24 / 128, 12 / 64, 16 / 128, 8 / 64), abs=0.01)


def test_a_letterboxed_picture_keeps_its_proportions(tmp_path: Path) -> None:
    model = loaded(described(tmp_path, bright_spot([[32, 16, 16, 8, 1.0, 1.0, 0.0]])))
    # 128x64 becomes 64x32 above a grey bar of 32 rows, so the picture's mean is that of white and grey.
    (knife,) = model.detect(picture())
    share = (255 + 114) / 2 / 255
    assert knife.score == pytest.approx(share**2, abs=0.02)
    middle = (knife.bbox[0] + knife.bbox[2] / 2, knife.bbox[1] + knife.bbox[3] / 2)
    assert middle == pytest.approx((32 * share / 64, 16 * share / 32), abs=0.02)


@pytest.mark.parametrize(
    ("rows", "dims", "changes"),
    [
        ([[16, 32], [16, 8], [16, 16], [8, 16], [0.9, 0.0], [0.0, 0.8]], (1, 6, 2), {}),  # YOLO v8: 1x(4+2)xN
        (
            [[0, 1, 0.9, 0.25, 0.25, 0.5, 0.5], [0, 2, 0.8, 0.5, 0.0, 0.75, 0.125]],  # Caffe's SSD: 1x1xNx7
            (1, 1, 2, 7),
            {"decoder": '"ssd"'},
        ),
    ],
)
def test_other_families_are_read(
    tmp_path: Path, rows: list[list[float]], dims: tuple[int, ...], changes: dict[str, str]
) -> None:
    stretched = "{ width = 64, height = 64, scale = 0.00392156862745098, fit = 'stretch' }"
    model = loaded(described(tmp_path, bright_spot(rows, dims=dims), input=stretched, **changes))
    kinds = {one.kind: one for one in model.detect(picture())}
    assert set(kinds) == {"knife", "bag"}
    assert kinds["knife"].bbox[:2] == pytest.approx((0.125, 0.1875) if len(dims) == 3 else (0.25, 0.25), abs=0.01)


def face_at(x: int, y: int, size: tuple[int, int]) -> Image:
    """A drawn face of 44x52 pixels around a point of a dark picture."""
    image: Image = np.full((size[1], size[0], 3), 25, np.uint8)
    cv2.ellipse(image, (x, y), (22, 26), 0, 0, 360, (90, 130, 200), -1)
    for eye in (-8, 8):
        cv2.circle(image, (x + eye, y - 8), 2, (30, 30, 30), -1)
    return image


@pytest.mark.parametrize(("x", "y"), [(48, 80), (80, 48), (112, 112)])
def test_yunets_family_finds_a_drawn_face_where_opencv_finds_it(x: int, y: int, tmp_path: Path) -> None:
    size, data = (160, 160), skin_cells((160, 160))
    wanted = {"input": "{ width = 160, height = 160, colour = 'bgr', fit = 'stretch' }", "ask": "[]"}
    path = described(tmp_path, data, decoder='"yunet"', labels='["face"]', thresholds="{ score = 0.5 }", **wanted)
    (found,) = loaded(path).detect(face_at(x, y, size))
    box = [value * 160 for value in found.bbox]
    assert box[0] < x < box[0] + box[2]
    assert box[1] < y < box[1] + box[3]
    theirs = cv2.FaceDetectorYN.create(str(tmp_path / "spot.onnx"), "", size, 0.5, 0.3)
    (row,) = theirs.detect(face_at(x, y, size))[1]
    assert box == pytest.approx(row[:4].tolist(), abs=0.01)
    assert found.score == pytest.approx(float(row[14]), abs=0.001)
    assert loaded(path).detect(picture(160, 160, level=25)) == []


def test_a_labels_own_threshold_counts(tmp_path: Path) -> None:
    path = described(tmp_path, bright_spot([KNIFE, BAG]), thresholds="{ score = 0.3, knife = 0.95 }", input=None)
    path.write_text(path.read_text() + "[input]\nwidth = 64\nheight = 64\nscale = 0.0039215686\n")
    assert [one.kind for one in loaded(path).detect(picture(64, 64))] == ["bag"]


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "another file": ({"sha256": '"' + "0" * 64 + '"'}, "model_wrong_hash"),
    "no file": ({"path": '"absent.onnx"'}, "model_missing"),
    "another input": ({"input": "{ width = 32, height = 32 }"}, "model_wrong_shape"),
    "another layout": ({"input": "{ width = 64, height = 64, layout = 'nhwc' }"}, "model_wrong_shape"),
    "more labels": ({"labels": '["knife", "bag", "gun"]'}, "model_wrong_shape"),
    "another family": ({"decoder": '"ssd"'}, "model_wrong_shape"),
    "faces' family": ({"decoder": '"yunet"', "labels": '["knife"]'}, "model_wrong_shape"),
    "no such family": ({"decoder": '"detr"'}, "model_bad_config"),
    "no licence": ({"licence": '" "'}, "model_bad_config"),
    "our name": ({"name": '"people"'}, "model_bad_config"),
    "a mistyped key": ({"lables": "[]"}, "model_bad_config"),
    "a missing key": ({"labels": None}, "model_bad_config"),
    "asks what it does not know": ({"ask": '["gun"]'}, "model_bad_config"),
    "an endless input": ({"input": "{ width = 64, height = 1000000 }"}, "model_bad_config"),
    "text for a figure": ({"thresholds": "{ score = 'high' }"}, "model_bad_config"),
    "no table": ({"thresholds": "0.5"}, "model_bad_config"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_stable_word(case: str, tmp_path: Path) -> None:
    changes, code = WRONG[case]
    path = described(tmp_path, bright_spot([KNIFE]), **changes)
    with pytest.raises(ModelError) as caught:
        loaded(path)
    assert caught.value.code == code
    assert str(tmp_path) not in str(caught.value)  # names no folder of the machine


@pytest.mark.parametrize("data", [b"", b"not a model at all", bright_spot([KNIFE])[:120], b"\x08\x08" + b"\xff" * 64])
def test_a_broken_file_is_unreadable(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        loaded(described(tmp_path, data))
    assert caught.value.code == "model_unreadable"


def test_no_toml_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        read_spec(tmp_path / "absent.toml")
    assert caught.value.code == "model_missing"
    (tmp_path / "half.toml").write_text("name = ")
    with pytest.raises(ModelError) as caught:
        read_spec(tmp_path / "half.toml")
    assert caught.value.code == "model_bad_config"


def test_a_look_asks_a_human_about_what_the_citys_model_sees(
    look: Look, clip: Callable[..., Path], tmp_path: Path
) -> None:
    seen = [[32, 16, 16, 8, 9.0, 1.0, 0.0], [8, 48, 8, 16, 9.0, 0.0, 1.0]]
    toml = described(tmp_path, bright_spot(seen))
    answer = look(kind="file", path=str(clip("empty", 4.0)), config={"models": [str(toml)]})
    assert answer["status"] == "ok"
    assert {one["kind"] for one in answer["detections"]} == {"knife", "bag"}
    (finding,) = answer["summary"]["findings"]
    assert (finding["kind"], finding["ask"], finding["track"]) == ("knife", True, None)
    assert answer["summary"]["people_max"] == 0
    digest = hashlib.sha256((tmp_path / "spot.onnx").read_bytes()).hexdigest()
    assert {"name": "spot", "version": digest[:12]}.items() <= answer["detectors"][-1].items()


def test_a_model_that_says_person_counts_nobody(look: Look, clip: Callable[..., Path], tmp_path: Path) -> None:
    toml = described(
        tmp_path, bright_spot([[32, 16, 16, 8, 9.0, 1.0, 0.0]]), labels='["person", "bag"]', ask='["person"]'
    )
    answer = look(kind="file", path=str(clip("empty", 4.0)), config={"models": [str(toml)]})
    assert answer["summary"]["people_max"] == 0


def test_a_wrong_model_is_said_and_the_look_goes_on(look: Look, clip: Callable[..., Path], tmp_path: Path) -> None:
    toml = described(tmp_path, bright_spot([KNIFE]), sha256='"' + "0" * 64 + '"')
    path = str(clip("walk"))
    answer = look(kind="file", path=path, config={"models": [str(toml)]})
    assert (answer["status"], answer["verdict"]) == ("partial", "seen")
    assert answer["health"]["reason"] == "detector_failed:spot:model_wrong_hash"
    assert answer["summary"]["people_max"] == 1
    assert look(kind="file", path=path)["status"] == "ok"  # the same child lives, and looks on without it


def test_what_a_city_names_reaches_its_looks() -> None:
    named = (CameraDetector("smoke", {"least": 0.5}), CameraDetector(model="models/knives.toml"))
    city = replace(cities.current("lahore"), camera_detectors=named)
    config = VisionConfig.from_dict(jobs._config(city, {"source": {"kind": "file", "path": "x"}}))
    assert config.detectors == ("smoke",)
    assert config.detector_options == {"smoke": {"least": 0.5}}
    assert config.models == (str(Path("models/knives.toml").absolute()),)
