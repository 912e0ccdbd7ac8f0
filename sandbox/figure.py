"""A person drawn well enough that a pose detector takes him for one: a jointed body of shaded, clothed parts.

Nobody's likeness: proportions are the average ones of anthropometric tables (Drillis and Contini, 1966), clothes and skin
come from a seed. Lengths are in body heights, y upwards from the soles, z towards the camera; projection is orthographic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import cv2 as _cv2
import numpy as np
import numpy.typing as npt

cv2: Any = _cv2
Image = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float64]
Layer = npt.NDArray[np.float32]
Colour = tuple[int, int, int]  # BGR

LIGHT = np.array([-0.45, -0.65, 0.62])  # from the upper left, in image axes
OVER = 2  # supersampling

SKINS: tuple[Colour, ...] = ((110, 150, 198), (88, 126, 176), (72, 104, 150), (130, 168, 212))
SHIRTS: tuple[Colour, ...] = ((168, 120, 62), (70, 70, 176), (200, 204, 208), (72, 132, 84), (60, 150, 190))
TROUSERS: tuple[Colour, ...] = ((62, 54, 48), (110, 84, 56), (58, 66, 82), (96, 100, 104))


@dataclass(frozen=True)
class Pose:
    """How the body is held. Angles in degrees; ``roll`` turns all of it in the picture, about the soles (90: lying)."""

    yaw: float = 0.0  # 0 faces the camera, 90 walks to the right
    roll: float = 0.0
    hips: tuple[float, float] = (0.0, 0.0)  # left, right thigh forward
    knees: tuple[float, float] = (3.0, 3.0)
    swing: tuple[float, float] = (0.0, 0.0)  # left, right upper arm forward
    spread: tuple[float, float] = (9.0, 9.0)  # and away from the body; 170 is raised
    elbows: tuple[float, float] = (12.0, 12.0)
    lift: float = 0.0  # of the whole body above the ground


@dataclass(frozen=True)
class Look:
    """Colours of one person, from a seed."""

    skin: Colour
    shirt: Colour
    trousers: Colour
    hair: Colour = (24, 22, 26)
    shoes: Colour = (34, 34, 40)
    long_shirt: bool = False  # a kameez, to the knee
    texture: npt.NDArray[np.float32] = field(default_factory=lambda: np.ones((1, 1), np.float32), compare=False)


def look_of(seed: int) -> Look:
    rng = np.random.default_rng(seed)
    folds = cv2.GaussianBlur(rng.normal(0, 1, (96, 64)).astype(np.float32), (0, 0), 4) * 0.35
    weave = rng.normal(0, 0.035, (96, 64)).astype(np.float32)
    return Look(
        SKINS[int(rng.integers(len(SKINS)))],
        SHIRTS[int(rng.integers(len(SHIRTS)))],
        TROUSERS[int(rng.integers(len(TROUSERS)))],
        long_shirt=bool(rng.random() < 0.3),
        texture=(1 + folds + weave).astype(np.float32),
    )


def skeleton(pose: Pose) -> dict[str, Vector]:
    """Joint name → (x, y, z) with z towards the camera, before scaling."""
    joints: dict[str, Vector] = {
        "pelvis": np.array([0, 0.53, 0.0]),
        "waist": np.array([0, 0.63, 0.005]),
        "chest": np.array([0, 0.74, 0.01]),
        "neck": np.array([0, 0.835, 0.0]),
        "head": np.array([0, 0.925, 0.012]),
    }
    for index, (side, sign) in enumerate(
        (("left", 1.0), ("right", -1.0))
    ):  # the body's own left is the picture's right
        hip, knee = math.radians(pose.hips[index]), math.radians(pose.knees[index])
        joints[f"{side}_hip"] = np.array([sign * 0.068, 0.52, 0])
        joints[f"{side}_knee"] = joints[f"{side}_hip"] + 0.245 * np.array([sign * 0.04, -math.cos(hip), math.sin(hip)])
        shank = hip - knee
        joints[f"{side}_ankle"] = joints[f"{side}_knee"] + 0.235 * np.array([0, -math.cos(shank), math.sin(shank)])
        joints[f"{side}_toe"] = joints[f"{side}_ankle"] + np.array([sign * 0.015, -0.022, 0.085])
        swing, spread = math.radians(pose.swing[index]), math.radians(pose.spread[index])
        bend = swing + math.radians(pose.elbows[index])
        joints[f"{side}_shoulder"] = np.array([sign * 0.118, 0.81, 0])
        upper = np.array(
            [sign * math.sin(spread), -math.cos(spread) * math.cos(swing), math.cos(spread) * math.sin(swing)]
        )
        joints[f"{side}_elbow"] = joints[f"{side}_shoulder"] + 0.172 * upper
        if pose.spread[index] > 90:  # a raised arm bends inwards over the head, not forwards
            inwards = spread + math.radians(pose.elbows[index])
            lower = np.array([sign * math.sin(inwards), -math.cos(inwards), 0.1])
        else:
            lower = np.array(
                [sign * math.sin(spread), -math.cos(spread) * math.cos(bend), math.cos(spread) * math.sin(bend)]
            )
        joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + 0.146 * lower
        joints[f"{side}_hand"] = joints[f"{side}_wrist"] + 0.055 * lower
    yaw, roll = math.radians(pose.yaw), math.radians(pose.roll)
    turned = {}
    for name, point in joints.items():
        x, y, z = (
            point[0] * math.cos(yaw) + point[2] * math.sin(yaw),
            point[1],
            -point[0] * math.sin(yaw) + point[2] * math.cos(yaw),
        )
        turned[name] = np.array(
            [x * math.cos(roll) + y * math.sin(roll), y * math.cos(roll) - x * math.sin(roll) + pose.lift, z]
        )
    return turned


class Painter:
    """Draws one person onto pictures, and remembers each pose it has drawn."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._drawn: dict[tuple[Pose, int], tuple[Layer, Layer]] = {}

    def paint(self, picture: Image, foot: tuple[float, float], height: float, pose: Pose, light: float = 1.0) -> None:
        """Draw onto ``picture`` (HxWx3): ``foot`` is where the soles stand and ``height`` the body's, in pixels."""
        side = int(height * 1.3) + 8
        key = (pose, side)
        if key not in self._drawn:
            self._drawn[key] = self._draw(pose, height, side)
        colours, cover = self._drawn[key]
        _blend(picture, round(foot[0]) - side, round(foot[1]) - side, colours * light, cover)

    def _draw(self, pose: Pose, height: float, side: int) -> tuple[Layer, Layer]:
        """Colours (already times cover) and cover, at the picture's scale, the soles at (side, side)."""
        self._canvas = np.zeros((OVER * (side + side // 8), OVER * 2 * side, 3), np.float32)
        self._cover = np.zeros(self._canvas.shape[:2], np.float32)
        self._scale = height * OVER
        self._origin = (side * OVER, side * OVER)
        self._roll = math.radians(pose.roll)
        self._yaw = math.radians(pose.yaw)
        self._body(skeleton(pose))
        size = (self._canvas.shape[1] // OVER, self._canvas.shape[0] // OVER)
        colours: Layer = cv2.resize(self._canvas, size, interpolation=cv2.INTER_AREA)
        cover: Layer = cv2.resize(self._cover, size, interpolation=cv2.INTER_AREA)
        return colours, cover

    def _at(self, joint: Vector) -> tuple[float, float]:
        return self._origin[0] + float(joint[0]) * self._scale, self._origin[1] - float(joint[1]) * self._scale

    def _body(self, joints: dict[str, Vector]) -> None:
        look = self._look
        parts: list[tuple[float, Any]] = []
        for side in ("left", "right"):
            hip, knee, ankle, toe = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toe"))
            shoulder, elbow, wrist, hand = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hand"))
            leg = float(hip[2] + knee[2]) / 2
            arm = float(shoulder[2] + elbow[2] + wrist[2]) / 3
            parts += [
                (leg - 0.012, lambda a=ankle, b=toe: self._limb(a - [0, 0.008, 0], b, 0.026, 0.02, look.shoes)),
                (leg - 0.011, lambda a=knee, b=ankle: self._limb(a, b, 0.043, 0.03, look.trousers)),
                (leg - 0.01, lambda a=hip, b=knee: self._limb(a, b, 0.066, 0.046, look.trousers)),
                (arm + 0.001, lambda a=wrist, b=hand: self._limb(a, b, 0.019, 0.022, look.skin)),
                (arm + 0.002, lambda a=elbow, b=wrist: self._limb(a, b, 0.028, 0.02, look.skin)),
                (arm + 0.003, lambda a=shoulder, b=elbow: self._limb(a, b, 0.04, 0.03, look.shirt)),
            ]
        parts.append((0.0, lambda: self._torso(joints)))
        parts.append((0.03, lambda: self._head(joints)))
        for _, draw in sorted(parts, key=lambda entry: entry[0]):
            draw()

    def _torso(self, joints: dict[str, Vector]) -> None:
        look = self._look
        self._limb(joints["neck"] - [0, 0.01, 0], (joints["neck"] + joints["head"]) / 2, 0.033, 0.031, look.skin)
        wide = abs(math.cos(self._yaw))
        deep = abs(math.sin(self._yaw))
        outline: list[tuple[float, float]] = []
        rows = [
            ("neck", -0.012, 0.045, 0.045),
            ("neck", -0.03, 0.12, 0.06),
            ("chest", 0.02, 0.135, 0.082),
            ("chest", -0.05, 0.122, 0.08),
        ]
        rows += [("waist", 0.0, 0.108, 0.074), ("pelvis", 0.02, 0.112, 0.08), ("pelvis", -0.035, 0.115, 0.08)]
        if look.long_shirt:
            rows += [("pelvis", -0.15, 0.13, 0.1), ("pelvis", -0.2, 0.135, 0.105)]
        down = np.array([math.sin(self._roll), math.cos(self._roll), 0.0])
        across = np.array([math.cos(self._roll), -math.sin(self._roll), 0.0])
        for sign in (1, -1):
            for name, offset, half, depth in rows if sign == 1 else reversed(rows):
                reach = math.hypot(half * wide, depth * deep)
                outline.append(self._at(joints[name] + down * offset + across * sign * reach))
        mask = np.zeros(self._cover.shape, np.uint8)
        cv2.fillPoly(mask, [np.array(outline, np.float64).round().astype(np.int32)], 255, cv2.LINE_AA)
        x, y, w, h = cv2.boundingRect(mask)
        soft = cv2.GaussianBlur(mask[y : y + h, x : x + w], (0, 0), max(1.0, 0.008 * self._scale))
        mask[y : y + h, x : x + w] = cv2.threshold(soft, 127, 255, cv2.THRESH_BINARY)[1]
        self._shade(mask, look.shirt, 0.09, textured=True)

    def _limb(self, a: Vector, b: Vector, r1: float, r2: float, colour: Colour) -> None:
        mask = np.zeros(self._cover.shape, np.uint8)
        start, end = np.array(self._at(a)), np.array(self._at(b))
        steps = max(2, int(np.hypot(*(end - start)) / 2))
        for share in np.linspace(0, 1, steps):
            x, y = start + (end - start) * share
            cv2.circle(
                mask, (round(x), round(y)), max(1, round((r1 + (r2 - r1) * share) * self._scale)), 255, -1, cv2.LINE_AA
            )
        self._shade(mask, colour, max(r1, r2), textured=colour != self._look.skin)

    def _head(self, joints: dict[str, Vector]) -> None:
        look, head = self._look, joints["head"]
        centre = self._at(head)
        turn = math.degrees(self._roll)
        size = (round(0.053 * self._scale), round(0.073 * self._scale))
        mask = np.zeros(self._cover.shape, np.uint8)
        cv2.ellipse(mask, _whole(centre), size, turn, 0, 360, 255, -1, cv2.LINE_AA)
        self._shade(mask, look.skin, 0.055)
        for side in (1, -1):  # ears
            self._spot(head, (side * 0.055, -0.002, -0.004), (0.010, 0.017), _darker(look.skin, 0.85))
        hair = np.zeros(self._cover.shape, np.uint8)
        cv2.ellipse(
            hair, _whole(centre), (round(size[0] * 1.07), round(size[1] * 1.05)), turn, 0, 360, 255, -1, cv2.LINE_AA
        )
        face = np.zeros(self._cover.shape, np.uint8)
        forward = (0.033 * math.sin(self._yaw), -0.022)
        front = self._at(head + self._flat(*forward))
        cv2.ellipse(
            face, _whole(front), (round(size[0] * 0.92), round(size[1] * 0.9)), turn, 0, 360, 255, -1, cv2.LINE_AA
        )
        if math.cos(self._yaw) > -0.25:
            hair = cv2.subtract(hair, face)
        self._shade(hair, look.hair, 0.04)
        if math.cos(self._yaw) <= -0.25:
            return
        for side in (1, -1):
            self._spot(head, (side * 0.021, 0.012, 0.047), (0.0115, 0.006), (222, 226, 230))
            self._spot(head, (side * 0.021, 0.012, 0.050), (0.0055, 0.006), (28, 30, 40))
            self._spot(head, (side * 0.021, 0.027, 0.047), (0.015, 0.0035), look.hair)
        self._spot(head, (0.0, -0.008, 0.058), (0.008, 0.017), _darker(look.skin, 0.86))
        self._spot(head, (0.0, -0.018, 0.060), (0.012, 0.006), _darker(look.skin, 0.72))
        self._spot(head, (0.0, -0.038, 0.050), (0.018, 0.0055), (80, 72, 132))

    def _flat(self, x: float, y: float) -> Vector:
        """A step in the picture's plane, turned as the body is."""
        return np.array(
            [
                x * math.cos(self._roll) + y * math.sin(self._roll),
                y * math.cos(self._roll) - x * math.sin(self._roll),
                0.0,
            ]
        )

    def _spot(self, head: Vector, place: tuple[float, float, float], size: tuple[float, float], colour: Colour) -> None:
        """A feature of the face; hidden when it is turned away from the camera."""
        x = place[0] * math.cos(self._yaw) + place[2] * math.sin(self._yaw)
        z = -place[0] * math.sin(self._yaw) + place[2] * math.cos(self._yaw)
        if z < 0.004 and abs(place[0]) < 0.05:
            return
        narrow = max(0.35, z / math.hypot(place[0], place[2]))
        centre = self._at(head + self._flat(x, place[1]))
        axes = (max(1, round(size[0] * narrow * self._scale)), max(1, round(size[1] * self._scale)))
        mask = np.zeros(self._cover.shape, np.uint8)
        cv2.ellipse(mask, _whole(centre), axes, math.degrees(self._roll), 0, 360, 255, -1, cv2.LINE_AA)
        self._put(mask, np.array(colour, np.float32))

    def _shade(self, mask: Image, colour: Colour, depth: float, textured: bool = False) -> None:
        """Fill a silhouette as if it were inflated: the further from its edge, the more it faces the camera."""
        x, y, w, h = cv2.boundingRect(mask)
        if w < 2 or h < 2:
            return
        part = mask[y : y + h, x : x + w]
        reach = max(2.0, depth * self._scale)
        inside = np.clip(
            cv2.distanceTransform(cv2.copyMakeBorder((part > 127).astype(np.uint8), 1, 1, 1, 1, 0), cv2.DIST_L2, 3)[
                1:-1, 1:-1
            ]
            / reach,
            0,
            1,
        )
        height = (
            cv2.GaussianBlur(
                np.sqrt(np.clip(inside * (2 - inside), 0, 1)).astype(np.float32), (0, 0), max(0.8, reach * 0.08)
            )
            * reach
        )
        gx, gy = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
        norm = np.sqrt(gx * gx + gy * gy + 1)
        lit = np.clip((-gx * LIGHT[0] - gy * LIGHT[1] + LIGHT[2]) / norm, 0, 1)
        value = 0.42 + 0.72 * lit
        if textured:
            value = value * cv2.resize(self._look.texture, (w, h), interpolation=cv2.INTER_LINEAR)
        self._put(mask, value[..., None] * np.array(colour, np.float32))

    def _put(self, mask: Image, colour: Layer) -> None:
        """Lay a colour (one, or one for each pixel of the mask's bounding box) over what is drawn."""
        x, y, w, h = cv2.boundingRect(mask)
        cover = mask[y : y + h, x : x + w].astype(np.float32) / 255
        part = self._canvas[y : y + h, x : x + w]
        part += (colour - part) * cover[..., None]
        self._cover[y : y + h, x : x + w] = np.maximum(self._cover[y : y + h, x : x + w], cover)


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _darker(colour: Colour, share: float) -> Colour:
    return int(colour[0] * share), int(colour[1] * share), int(colour[2] * share)


def _blend(picture: Image, left: int, top: int, colours: Layer, cover: Layer) -> None:
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + cover.shape[1]), min(picture.shape[0], top + cover.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part = picture[y0:y1, x0:x1].astype(np.float32)
    mixed = part * (1 - cover[inside][..., None]) + colours[inside]
    picture[y0:y1, x0:x1] = np.clip(mixed, 0, 255).astype(np.uint8)
