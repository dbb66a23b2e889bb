# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emulated accounts of the lab for tests, and modules that run against them with the real connector."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from snowflake_runner import MODULES, ModuleFailed, private_pem, public_pem, rsa_key

# The emulated account may run in another environment than the modules, whose connector it does not go with.
PYTHON = os.environ.get("HANGER_LAB_PYTHON", sys.executable)
if "HANGER_LAB_PYTHON" not in os.environ:
    pytest.importorskip("hanger_lab.snowflake.server")
ACCOUNT, ADMIN = "HANGERLAB", "HANGER_PROVISIONER"


@dataclass
class Lab:
    """An emulated account that runs, and the key of its administrator."""

    port: int
    key: Path
    server: subprocess.Popen
    account: str = ACCOUNT

    @property
    def login(self):
        """The options that lead to it."""
        return {
            "account": self.account,
            "user": ADMIN,
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "role": "ACCOUNTADMIN",
            "private_key_path": str(self.key),
        }


def make_key(path):
    """Write a private key and its public half; return the private key's path."""
    key = rsa_key()
    path.write_bytes(private_pem(key))
    path.chmod(0o600)
    path.with_suffix(".pub").write_text(public_pem(key))
    return path


@contextlib.contextmanager
def running(directory, key=None, program="", account=ACCOUNT):
    """Run an emulated account in a directory, with its administrator's key or a new one, and a program of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = key or make_key(directory / "administrator.p8")
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "data-dir": directory / "data",
        "account": account,
        "admin-user": ADMIN,
        "admin-public-key": key.with_suffix(".pub"),
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [PYTHON, *(["-c", program] if program else ["-m", "hanger_lab.snowflake"]), "serve", *words],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(server, port)
        yield Lab(port, key, server, account)
    finally:
        server.terminate()
        server.wait(10)


def _wait(server, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    pytest.fail("the emulated account did not start")


def run_module(capsys, name, check_mode=False, **options):
    """Run a module in this process; return its result or raise ModuleFailed."""
    given = {**options, "_ansible_check_mode": check_mode, "_ansible_module_name": name}
    capsys.readouterr()
    with patch_module_args(given), pytest.raises(SystemExit):
        importlib.import_module(f"{MODULES}.{name}").main()
    result = json.loads(capsys.readouterr().out)
    if result.get("failed"):
        raise ModuleFailed(result)
    return result
