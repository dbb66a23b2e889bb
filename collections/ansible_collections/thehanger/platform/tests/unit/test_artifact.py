# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive that ansible-galaxy builds: it holds what it should, installs into an empty place, and works there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

COLLECTION = Path(__file__).resolve().parents[2]
NAME = "thehanger.platform"
CACHES = re.compile(r"(^|/)(\.|__pycache__|output)|\.pyc$")


def ansible(words, place, **environment):
    """Run one of Ansible's commands with collections from one place only; return what it prints."""
    configuration = place / "ansible.cfg"
    configuration.touch()
    others = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SNOWFLAKE_"))}
    result = subprocess.run(
        [sys.executable, "-m", "ansible", *map(str, words)],
        env={
            **others,
            "HOME": str(place),
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_COLLECTIONS_PATH": str(place / "collections"),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            **environment,
        },
        cwd=place,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    place = tmp_path_factory.mktemp("build")
    ansible(["galaxy", "collection", "build", "--output-path", place, COLLECTION], place)
    (found,) = place.glob("*.tar.gz")
    return found


@pytest.fixture(scope="module")
def installed(archive):
    place = archive.parent
    ansible(
        ["galaxy", "collection", "install", "--offline", "--no-deps", "-p", place / "collections", archive],
        place,
    )
    return place


def test_holds_the_collection_and_no_caches(archive):
    with tarfile.open(archive) as content:
        names = set(content.getnames())
    assert [name for name in names if CACHES.search(name)] == []
    modules = {f"plugins/modules/{path.name}" for path in (COLLECTION / "plugins/modules").glob("*.py")}
    assert {*modules, "README.md", "meta/runtime.yml", "MANIFEST.json", "CHANGELOG.rst"} <= names


def test_documents_every_module_from_where_it_is_installed(installed):
    names = [f"{NAME}.{path.stem}" for path in (COLLECTION / "plugins/modules").glob("*.py")]
    found = json.loads(ansible(["doc", "--json", *names], installed))
    assert set(found) == set(names)
    for name, said in found.items():
        assert said["doc"]["filename"].startswith(str(installed)), name
        assert said["examples"], name
        assert said["return"], name


def test_runs_a_module_from_where_it_is_installed(installed, tmp_path_factory):
    from snowflake_lab import running

    with running(tmp_path_factory.mktemp("account")) as lab:
        options = json.dumps({**lab.login, "statements": ["SELECT CURRENT_USER() AS WHO"]})
        said = ansible(
            ["adhoc", "localhost", "-i", "localhost,", "-c", "local", "-m", f"{NAME}.snowflake_query", "-a", options],
            installed,
        )
    assert '"WHO": "HANGER_PROVISIONER"' in said
