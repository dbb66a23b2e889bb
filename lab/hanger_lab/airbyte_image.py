"""The container image of the lab's Airbyte server, made without an engine and without a registry."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hanger_lab.config import Lab
from hanger_lab.machines.archive import Layer, cached_layer, compress_layer, write_archive
from hanger_lab.machines.errors import ImageError
from hanger_lab.machines.hostconfig import debian_sources
from hanger_lab.machines.hosttools import uv
from hanger_lab.machines.recipes import Rootfs, digest
from hanger_lab.machines.rootfs import cached_rootfs, remove_older
from hanger_lab.machines.trust import certificates, host_bundles
from hanger_lab.sources import PACKAGE, source_files

log = logging.getLogger(__name__)

REQUIREMENTS = PACKAGE / "airbyte" / "requirements.txt"
SOURCES = ("__init__.py", "py.typed", "config.py", "airbyte")
BASE = Rootfs("trixie", ("python3", "ca-certificates", "libstdc++6"), "customize-airbyte", variant="essential")
PYTHON = "3.13"
USER = "10001:10001"
APPLICATION = "opt/hanger"
LIBRARIES = "opt/libraries"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
CONFIGURATION = {
    "User": USER,
    "WorkingDir": "/data",
    "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        f"PYTHONPATH=/{APPLICATION}:/{LIBRARIES}",
        "PYTHONUNBUFFERED=1",
        "PYTHONPYCACHEPREFIX=/data/.pycache",
        f"SSL_CERT_FILE=/{BUNDLE}",
    ],
    "Entrypoint": ["python3", "-m", "hanger_lab.airbyte"],
    "Cmd": ["serve", "--host", "0.0.0.0", "--port", "8000", "--data-dir", "/data"],  # noqa: S104
    "ExposedPorts": {"8000/tcp": {}},
    "Volumes": {"/data": {}},
}


@dataclass(frozen=True)
class AirbyteImage:
    """The image's tag and its archive, as `docker save` writes one."""

    tag: str
    archive: Path


def airbyte_image(lab: Lab) -> AirbyteImage:
    """Return the image of these sources, made unless the cache has it; raise ImageError when it cannot be made."""
    base_key = BASE.key(debian_sources(BASE.suite))
    libraries_key = digest(base_key, REQUIREMENTS.read_text(), _platform())
    certificates_text = "\n".join(certificates(path.read_text(errors="replace") for path in host_bundles()))
    files = source_files(SOURCES)
    key = digest(
        libraries_key,
        CONFIGURATION,
        certificates_text,
        [(name, path.read_bytes().hex()) for name, path in files.items()],
    )
    image = AirbyteImage(f"hanger-lab/airbyte:{key}", lab.cache / f"airbyte-{key}.tar.gz")
    if not image.archive.is_file():
        lab.cache.mkdir(parents=True, exist_ok=True)
        layers = [
            cached_layer(cached_rootfs("airbyte-base", BASE, lab.cache)),
            _libraries(lab.cache, libraries_key),
        ]
        with tempfile.TemporaryDirectory(dir=lab.cache, prefix="build-") as directory:
            root = Path(directory) / "root"
            for name, path in files.items():
                _copy(path, root / APPLICATION / "hanger_lab" / name)
            if certificates_text:
                (root / BUNDLE).parent.mkdir(parents=True)
                (root / BUNDLE).write_text(certificates_text + "\n")
            layers.append(compress_layer(root, Path(directory) / "sources.tar.gz"))
            write_archive(image.archive, image.tag, layers, CONFIGURATION)
        remove_older(image.archive, "airbyte-" + "[0-9a-f]" * 12 + ".tar.gz")
        log.info("made %s", image.archive)
    return image


def _libraries(cache: Path, key: str) -> Layer:
    path = cache / f"airbyte-libraries-{key}.tar.gz"
    if not path.is_file():
        with tempfile.TemporaryDirectory(dir=cache, prefix="build-") as directory:
            root, partial = Path(directory) / "root", Path(directory) / "layer.tar.gz"
            _install(root / LIBRARIES)
            compress_layer(root, partial)
            partial.replace(path)
        remove_older(path, "airbyte-libraries-*.tar.gz")
    return cached_layer(path)


def _install(target: Path) -> None:
    program = uv()
    if not program:
        raise ImageError("uv is not installed: `make up` installs it, or put it into the PATH")
    command = [
        *(program, "pip", "install", "--quiet", "--target", str(target), "--requirement", str(REQUIREMENTS)),
        *("--python", sys.executable, "--python-version", PYTHON, "--python-platform", _platform()),
        *("--only-binary", ":all:", "--link-mode", "copy"),
    ]
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = " / ".join(done.stderr.strip().splitlines()[-5:])
        raise ImageError(f"cannot install the libraries of the Airbyte server: {lines}")


def _platform() -> str:
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())
    return f"{machine}-manylinux_2_28"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
