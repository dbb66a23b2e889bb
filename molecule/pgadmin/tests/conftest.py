from __future__ import annotations

import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import PgAdmin
from selenium import webdriver
from testinfra.host import Host


@pytest.fixture(scope="module")
def url(host: Host) -> Iterator[str]:
    """Open a tunnel to pgAdmin, as a person does, and give its address on this computer."""
    variables = host.ansible.get_variables()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        "ssh",
        "-N",
        *shlex.split(variables["ansible_ssh_common_args"]),
        *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ControlPath=none"),
        *("-i", variables["ansible_private_key_file"], "-L", f"127.0.0.1:{port}:127.0.0.1:5050"),
        f"{variables['ansible_user']}@{variables['ansible_host']}",
    ]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as tunnel:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            tunnel.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, "the tunnel does not open"
        time.sleep(0.2)


FORGET = """python3 - <<'END'
import sqlite3
with sqlite3.connect("/var/lib/pgadmin/pgadmin4.db") as database:
    for table in ("setting", "application_state"):
        database.execute(f"DELETE FROM {table}")
END"""


@pytest.fixture
def page(host: Host, url: str, tmp_path: Path) -> Iterator[PgAdmin]:
    """Show pgAdmin in a browser of its own, without a window and without what was open before."""
    with host.sudo():
        host.check_output(FORGET)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1600,800"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={tmp_path}/profile")
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield PgAdmin(driver, url)
    finally:
        driver.quit()
