"""The role snowflake_setup makes keys, and leaves alone those that another control node made."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).resolve().parent.parent.parent
PLAY = [{"hosts": "localhost", "gather_facts": False, "roles": ["snowflake_setup"]}]

pytest.importorskip("hanger_lab.snowflake.server")


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    directory = tmp_path_factory.mktemp("account")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = directory / "provisioner.p8", directory / "provisioner.pub"
    pem = serialization.Encoding.PEM
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hanger_lab.snowflake", "serve", "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--data-dir", str(directory / "data"), "--account", "HANGERLAB", "--admin-user", "HANGER_PROVISIONER"]
    server = subprocess.Popen([*command, "--admin-public-key", str(public)])
    try:
        wait_until_healthy(server, port)
        yield {
            "snowflake_setup_account": "HANGERLAB",
            "snowflake_setup_host": "127.0.0.1",
            "snowflake_setup_port": port,
            "snowflake_setup_protocol": "http",
            "snowflake_setup_private_key_path": str(private),
        }
    finally:
        server.terminate()
        server.wait(10)


def wait_until_healthy(server, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail("the emulated account did not start")


@pytest.fixture
def apply(connection, tmp_path):
    """Run the role for the users AIRBYTE and DBT with the keys of a directory; return exit code, text, changes."""
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps(PLAY))

    def call(keys, *arguments, **variables):
        given = {
            "ansible_python_interpreter": sys.executable,
            **connection,
            "snowflake_setup_keys_directory": str(keys),
            "snowflake_setup_users": [{"name": "AIRBYTE"}, {"name": "dbt", "comment": ""}],
            **variables,
        }
        command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *arguments]
        run = subprocess.run([*command, str(playbook)], cwd=ROOT, capture_output=True, text=True, check=False)
        changes = re.search(r"changed=(\d+)", run.stdout)
        return run.returncode, " ".join(run.stdout.split()), int(changes[1]) if changes else 0

    return call


def test_keys_that_another_control_node_made_are_not_replaced(apply, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    code, text, _ = apply(here, "--check")
    assert code == 0, text
    assert not here.exists()
    code, text, _ = apply(here)
    assert code == 0, text
    assert sorted(path.name for path in here.iterdir()) == ["airbyte.p8", "airbyte.pub", "dbt.p8", "dbt.pub"]

    for arguments in (["--check"], []):
        code, text, changes = apply(there, *arguments)
        assert (code, changes) == (2, 0)
        assert f"their private keys are not in {there}: AIRBYTE, DBT." in text
        assert "Copy the keys from the machine that built this (airbyte.p8, dbt.p8)" in text
        assert "set snowflake_setup_replace_keys: true" in text
        assert not there.exists()
    code, text, changes = apply(here)
    assert (code, changes) == (0, 0), text

    (here / "dbt.p8").rename(tmp_path / "dbt.p8")
    code, text, _ = apply(here)
    assert code == 2
    assert f"their private keys are not in {here}: DBT." in text
    old = (here / "dbt.pub").read_text()
    code, text, _ = apply(here, "-e", "snowflake_setup_replace_keys=true")
    assert code == 0, text
    assert (here / "dbt.pub").read_text() != old
    code, text, changes = apply(here)
    assert (code, changes) == (0, 0), text
