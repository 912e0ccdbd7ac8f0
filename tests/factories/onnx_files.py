"""Tiny ONNX models for the tests, written byte by byte: the `onnx` package is large, and these need eight operators.

Protobuf's wire format (protobuf.dev/programming-guides/encoding) and the field numbers of onnx.proto, IR version 8, opset 13.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from pathlib import Path

FLOAT, INT64 = 1, 7


def bright_spot(rows: Sequence[Sequence[float]], size: tuple[int, int] = (64, 64), dims: Sequence[int] = ()) -> bytes:
    """A model whose answer is ``rows`` x the mean of the picture's channels (0–1 when its scale is 1/255), row by row.

    Input 1x3xHxW; output 1xNxM, or ``dims`` when given. A white picture so answers ``rows`` themselves, a black one nothing.
    """
    count, wide = len(rows), len(rows[0])
    # pooled 1x3x1x1 -> 1x3 -> times a 3x(N*M) matrix of rows/3 -> N*M figures -> their shape
    matrix = [value / 3 for _ in range(3) for row in rows for value in row]
    shape = list(dims) or [1, count, wide]
    nodes = [
        _node("GlobalAveragePool", ["picture"], ["pooled"]),
        _node("Reshape", ["pooled", "flat"], ["channels"]),
        _node("MatMul", ["channels", "rows"], ["figures"]),
        _node("Reshape", ["figures", "shape"], ["found"]),
    ]
    weights = [
        _tensor("flat", INT64, [2], struct.pack("<2q", 1, 3)),
        _tensor("rows", FLOAT, [3, count * wide], struct.pack(f"<{len(matrix)}f", *matrix)),
        _tensor("shape", INT64, [len(shape)], struct.pack(f"<{len(shape)}q", *shape)),
    ]
    inputs = [_value("picture", [1, 3, size[1], size[0]])]
    return _model(nodes, weights, inputs, [_value("found", shape)])


def thumbnail(side: int = 112, cells: int = 8) -> bytes:
    """A stand-in for a face model: a picture in, its ``cells`` x ``cells`` mean colours out: like pictures, like vectors."""
    step = side // cells
    pool = _node("AveragePool", ["picture"], ["pooled"])
    pool += _bytes(5, _ints("kernel_shape", [step, step])) + _bytes(5, _ints("strides", [step, step]))
    nodes = [pool, _node("Reshape", ["pooled", "flat"], ["found"])]
    weights = [_tensor("flat", INT64, [2], struct.pack("<2q", 1, 3 * cells * cells))]
    return _model(nodes, weights, [_value("picture", [1, 3, side, side])], [_value("found", [1, 3 * cells * cells])])


def skin_cells(size: tuple[int, int] = (128, 128), tone: Sequence[float] = (90.0, 130.0, 200.0)) -> bytes:
    """A stand-in for YuNet with its twelve outputs: a cell whose mean colour (BGR, 0-255) is like ``tone`` is a face.

    Only at stride 32; its box lies a little beside the cell's middle and is 1.5 cells wide and 2 high. ``kps``, the face's
    five points, are what OpenCV reads as well and are all 0.
    """
    width, height = size
    nodes, weights, outputs = [], [], []
    for stride in (8, 16, 32):
        cells = (width // stride) * (height // stride)
        pool = _node("AveragePool", ["picture"], [f"pooled_{stride}"])
        nodes.append(pool + _bytes(5, _ints("kernel_shape", [stride] * 2)) + _bytes(5, _ints("strides", [stride] * 2)))
        squared = sum(value * value for value in tone)
        like = [value / squared * 20 for value in tone]  # 20 for the tone itself, less for what is darker
        told = {
            "cls": ([like], [-12.0 if stride == 32 else -90.0], True),
            "obj": ([like], [-10.0], True),
            "bbox": ([[0.0] * 3] * 4, [0.6, 0.4, math.log(1.5), math.log(2.0)], False),
            "kps": ([[0.0] * 3] * 10, [0.0] * 10, False),
        }
        for part, (rows, bias, is_score) in told.items():
            name, wide = f"{part}_{stride}", len(rows)
            flat = [value for row in rows for value in row]
            weights += [
                _tensor(f"{name}_weights", FLOAT, [wide, 3, 1, 1], struct.pack(f"<{len(flat)}f", *flat)),
                _tensor(f"{name}_bias", FLOAT, [wide], struct.pack(f"<{wide}f", *bias)),
                _tensor(f"{name}_shape", INT64, [3], struct.pack("<3q", 1, cells, wide)),
            ]
            last = f"{name}_turned"
            conv = _node("Conv", [f"pooled_{stride}", f"{name}_weights", f"{name}_bias"], [f"{name}_map"])
            nodes.append(
                conv + _bytes(5, _ints("kernel_shape", [1, 1]))
            )  # OpenCV's reader does not take it from the weights
            nodes.append(_node("Transpose", [f"{name}_map"], [last]) + _bytes(5, _ints("perm", [0, 2, 3, 1])))
            if is_score:
                nodes.append(_node("Sigmoid", [last], [f"{name}_score"]))
                last = f"{name}_score"
            nodes.append(_node("Reshape", [last, f"{name}_shape"], [name]))
            outputs.append(_value(name, [1, cells, wide]))
    return _model(nodes, weights, [_value("picture", [1, 3, height, width])], outputs)


def described(folder: Path, model: bytes, **changes: object) -> Path:
    """Write the model and a ``model.toml`` beside it, and answer the toml's path. ``changes`` replace lines; None drops one."""
    (folder / "spot.onnx").write_bytes(model)
    lines: dict[str, object] = {
        "name": '"spot"',
        "path": '"spot.onnx"',
        "sha256": f'"{hashlib.sha256(model).hexdigest()}"',
        "licence": '"CC0-1.0"',
        "decoder": '"yolo"',
        "labels": '["knife", "bag"]',
        "ask": '["knife"]',
        "input": "{ width = 64, height = 64, scale = 0.00392156862745098 }",
        "thresholds": "{ score = 0.4 }",
    }
    lines.update(changes)
    path = folder / "spot.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None))
    return path


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        out.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, kind: int, dims: Sequence[int], raw: bytes) -> bytes:
    return b"".join(_number(1, dim) for dim in dims) + _number(2, kind) + _bytes(8, name) + _bytes(9, raw)


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    names = b"".join(_bytes(1, name) for name in inputs) + b"".join(_bytes(2, name) for name in outputs)
    return names + _bytes(4, operator)


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _bytes(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7)


def _value(name: str, dims: Sequence[int]) -> bytes:
    shape = b"".join(_bytes(1, _number(1, dim)) for dim in dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, shape)))


def _model(
    nodes: Sequence[bytes], weights: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> bytes:
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += b"".join(_bytes(5, weight) for weight in weights)
    graph += b"".join(_bytes(11, one) for one in inputs) + b"".join(_bytes(12, one) for one in outputs)
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))
