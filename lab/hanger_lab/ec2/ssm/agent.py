"""A stand-in for the package of the SSM agent, offered at the path where AWS's own S3 buckets offer the real one."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from functools import cache

PATH = re.compile(r"/amazon-ssm-[a-z0-9-]+/latest/debian_(?P<architecture>amd64|arm64)/amazon-ssm-agent\.deb")
CONTROL = """Package: amazon-ssm-agent
Version: 3.3.0.0-lab
Architecture: {architecture}
Maintainer: The Hanger data platform contributors
Description: stand-in for the agent of AWS Systems Manager
"""
POSTINST = """#!/bin/sh
set -e
systemctl daemon-reload
systemctl enable --quiet --now amazon-ssm-agent.service
"""
# As the real agent does, a user without a password who may become root without one.
AGENT = """#!/bin/sh
set -eu
id ssm-user >/dev/null 2>&1 || useradd --create-home --shell /bin/sh --user-group ssm-user
rules=/etc/sudoers.d/ssm-agent-users
umask 337
printf '# User rules for ssm-user\\nssm-user ALL=(ALL) NOPASSWD:ALL\\n' >"$rules.new"
mv "$rules.new" "$rules"
systemd-notify --ready
exec sleep infinity
"""
UNIT = """[Unit]
Description=Stand-in for the agent of AWS Systems Manager
After=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/bin/amazon-ssm-agent
Restart=always

[Install]
WantedBy=multi-user.target
"""


def package(path: str) -> bytes | None:
    """Return the package at a path; None where there is none."""
    given = PATH.fullmatch(path)
    return _deb(given["architecture"]) if given else None


@cache
def _deb(architecture: str) -> bytes:
    control = {"control": (CONTROL.format(architecture=architecture), 0o644), "postinst": (POSTINST, 0o755)}
    data = {
        "usr/bin/amazon-ssm-agent": (AGENT, 0o755),
        "usr/lib/systemd/system/amazon-ssm-agent.service": (UNIT, 0o644),
    }
    members = {"debian-binary": b"2.0\n", "control.tar.gz": _tar(control), "data.tar.gz": _tar(data)}
    return b"!<arch>\n" + b"".join(_member(name, content) for name, content in members.items())


def _tar(files: dict[str, tuple[str, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, (text, mode) in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mode = len(text.encode()), mode
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


def _member(name: str, content: bytes) -> bytes:
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
    return head + content + b"\n" * (len(content) % 2)
