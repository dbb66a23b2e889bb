"""Image archives as `docker save` writes them, put together from layers that were compressed before.

A gzip file may consist of several members. So a layer's bytes are compressed once, kept, and copied as they are into
every archive that contains the layer: a change in the smallest layer costs no more than that layer.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

BLOCK = 512
LEVEL = 1
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Layer:
    """A compressed layer (.tar.gz) with the digest and the size of its uncompressed tar archive."""

    path: Path
    digest: str
    size: int


def cached_layer(path: Path) -> Layer:
    """Return a layer with its digest, which is kept beside it."""
    note = path.with_name(f"{path.name}.json")
    if note.is_file() and note.stat().st_mtime >= path.stat().st_mtime:
        known = json.loads(note.read_text())
        return Layer(path, known["digest"], known["size"])
    layer = _measure(path)
    note.write_text(json.dumps({"digest": layer.digest, "size": layer.size}))
    return layer


def compress_layer(root: Path, path: Path) -> Layer:
    """Write a directory as a layer: root's files, readable by all, without times."""
    with gzip.GzipFile(path, "wb", LEVEL, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for entry in sorted(root.rglob("*")):
            tar.add(entry, str(entry.relative_to(root)), recursive=False, filter=_plain)
    return _measure(path)


def write_archive(path: Path, tag: str, layers: Sequence[Layer], configuration: Mapping[str, Any]) -> None:
    """Write the archive of an image whole or not at all."""
    config = json.dumps(
        {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": EPOCH,
            "config": dict(configuration),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
            "history": [{"created": EPOCH, "created_by": layer.path.name.split(".")[0]} for layer in layers],
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{layer.digest}/layer.tar" for layer in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": names}]).encode()
    partial = path.with_name(f"{path.name}.new")
    with partial.open("wb") as out:
        for name, content in ((config_name, config), ("manifest.json", manifest)):
            out.write(_member(_header(name, len(content)) + content + _padding(len(content))))
        for name, layer in zip(names, layers, strict=True):
            out.write(_member(_header(name, layer.size)))
            with layer.path.open("rb") as packed:
                shutil.copyfileobj(packed, out, 1 << 20)
            out.write(_member(_padding(layer.size)))
        out.write(_member(bytes(2 * BLOCK)))
    partial.replace(path)


def _measure(path: Path) -> Layer:
    digest, size = hashlib.sha256(), 0
    with gzip.open(path, "rb") as tar:
        for chunk in _chunks(tar):
            digest.update(chunk)
            size += len(chunk)
    return Layer(path, digest.hexdigest(), size)


def _chunks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(1 << 20):
        yield chunk


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    buffer = io.BytesIO()
    buffer.write(info.tobuf(tarfile.GNU_FORMAT))
    return buffer.getvalue()


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _member(content: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()
