"""Media: one fsspec store (a folder by default, a bucket by setting), every object named by the SHA-256 of its bytes."""

import hashlib
import posixpath
import uuid
from collections.abc import Iterable
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


def store_of(url: str) -> tuple[Any, str]:
    """(file system, root) of an fsspec address. No listing is remembered: what another process stored since must be seen."""
    fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return fs, str(root)


class Media:
    """Bytes by their hash. The same bytes are stored once; what is read is checked against its name."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = store_of(url)

    def _path(self, name: str) -> str:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise FileNotFoundError(name)
        return posixpath.join(self._root, name[:2], name)

    @staticmethod
    def name_of(data: bytes) -> str:
        """What these bytes are called: their SHA-256 in hexadecimal."""
        return hashlib.sha256(data).hexdigest()

    def put(self, data: bytes) -> str:
        """Store bytes; returns their SHA-256 in hexadecimal, which is their name. Nobody ever reads half of them."""
        name = self.name_of(data)
        path = self._path(name)
        if self._fs.exists(path):
            return name
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.pipe_file(path, data)  # a bucket shows an object when it is whole
            return name
        self._fs.makedirs(posixpath.dirname(path), exist_ok=True)
        part = f"{path}.{uuid.uuid4().hex}.part"  # its own, should two writers bring the same bytes at once
        try:
            with self._fs.open(part, "wb") as out:
                out.write(data)
            self._fs.mv(part, path)
        finally:
            if self._fs.exists(part):
                self._fs.rm(part)
        return name

    def put_parts(self, parts: Iterable[bytes]) -> tuple[str, int]:
        """Store bytes that come in parts, never whole in memory; returns (SHA-256, size)."""
        digest, size = hashlib.sha256(), 0
        self._fs.makedirs(self._root, exist_ok=True)
        part = posixpath.join(self._root, f"{uuid.uuid4().hex}.part")
        try:
            with self._fs.open(part, "wb") as out:
                for data in parts:
                    digest.update(data)
                    size += len(data)
                    out.write(data)
            name = digest.hexdigest()
            path = self._path(name)
            self._fs.makedirs(posixpath.dirname(path), exist_ok=True)
            self._fs.mv(part, path)  # over the same bytes, if they are there
        finally:
            if self._fs.exists(part):
                self._fs.rm(part)
        return name, size

    def head(self, name: str, size: int) -> bytes:
        """The first bytes, unchecked; raises FileNotFoundError."""
        with self._fs.open(self._path(name), "rb") as file:
            data: bytes = file.read(size)
        return data

    def get(self, name: str) -> bytes:
        """The bytes; raises FileNotFoundError, and ValueError when they are not what their name says."""
        with self._fs.open(self._path(name), "rb") as file:
            data: bytes = file.read()
        if hashlib.sha256(data).hexdigest() != name:
            raise ValueError("stored bytes do not match their name")
        return data

    def delete(self, name: str) -> None:
        """Take the bytes away; gone already is fine."""
        try:
            self._fs.rm(self._path(name))
        except FileNotFoundError:
            return
