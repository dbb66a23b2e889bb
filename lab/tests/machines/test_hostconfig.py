from __future__ import annotations

from pathlib import Path

import pytest
from hanger_lab.machines.hostconfig import configuration_files, debian_sources, hosts, mirror_hosts

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/x.gpg] http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb https://other.example/apt stable main
"""
STANZAS = """\
Types: deb
# a comment inside
URIs: https://corp.example/debian
Suites: bookworm
 bookworm-updates
Components: main

Types: deb
URIs: https://corp.example/security
Suites: bookworm-security
Components: main
Enabled: no

Types: deb-src
URIs: https://src.example/debian
Suites: bookworm
Components: main
"""


def make_host(root: Path, name: str, text: str, identity: str = "debian") -> Path:
    path = root / "etc/apt" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (root / "etc/os-release").write_text(f'ID={identity}\nVERSION_CODENAME="bookworm"\n')
    return root


def test_the_hosts_mirror_serves_other_suites_too(tmp_path: Path) -> None:
    make_host(tmp_path, "sources.list", ONE_LINE)
    assert debian_sources("trixie", tmp_path) == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
    ]


def test_deb822_stanzas_are_read_without_disabled_ones(tmp_path: Path) -> None:
    make_host(tmp_path, "sources.list.d/debian.sources", STANZAS)
    assert debian_sources("bookworm", tmp_path) == [
        "deb https://corp.example/debian bookworm main",
        "deb https://corp.example/debian bookworm-updates main",
    ]


def test_other_hosts_leave_the_choice_to_the_builder(tmp_path: Path) -> None:
    assert debian_sources("trixie", make_host(tmp_path, "sources.list", ONE_LINE, "ubuntu")) == []


def test_indexes_and_proxies_of_the_environment_count(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text("registry=https://npm.example/\n; http://comment.example\n")
    environment = {
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://user:secret@pip.example:8443/simple",
        "UV_DEFAULT_INDEX": "https://uv.example/simple",
        "HTTPS_PROXY": "proxy.example:3128",
        "EDITOR_URL": "https://unrelated.example",
    }
    found = mirror_hosts(environment)
    assert {"npm.example", "pip.example", "uv.example", "proxy.example"} <= found
    assert not {"comment.example", "unrelated.example"} & found
    assert tmp_path / ".npmrc" in configuration_files(environment)


@pytest.mark.parametrize("text", ["file:///opt/simple", "no url", "http://[broken"])
def test_what_is_no_host_is_left_out(text: str) -> None:
    assert hosts([text]) == set()
