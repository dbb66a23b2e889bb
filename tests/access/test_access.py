"""The ways into a machine besides its address: Session Manager, and SSH through the Docker engine."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from hanger_lab.config import Lab
from hanger_lab.connect import proxy_command
from runs import ROOT, Platform

pytestmark = pytest.mark.usefixtures("destroyed")
PROJECT = "hanger-access"
RANGE = "10.93.0.0/16"
MACHINE = {
    "name": "only",
    "type": "t3.micro",
    "hanger_roles": ["oltp", "el", "tools"],
    "security_groups": ["admin"],
    "root_volume": {"size": 20},
}
SMALL = """
- hosts: oltp
  become: true
  tasks:
    - ansible.builtin.copy: {src: "{{ blob }}", dest: /etc/blob, mode: "0644"}
    - ansible.builtin.template: {src: "{{ template }}", dest: /etc/template, mode: "0600"}
    - ansible.builtin.fetch: {src: /etc/blob, dest: "{{ fetched }}", flat: true}
      become: false
    - ansible.builtin.command: id -un
      become_user: daemon
      changed_when: false
      register: user
    - ansible.builtin.assert: {that: user.stdout == 'daemon'}
"""


@pytest.fixture(scope="module")
def facts():
    lab = Path(os.environ.get("HANGER_LAB_DIR", ROOT / ".lab")).resolve()
    return json.loads((lab / "lab.json").read_text())


def platform(**environment):
    described = {"ec2_launch_vpc_cidr": RANGE, "ec2_launch_instances": [MACHINE]}
    variables = {**os.environ, "HANGER_PROJECT": PROJECT, **environment}
    return Platform("lab", variables, ("-e", json.dumps(described)))


def launch(world, *arguments):
    return world.play("--tags", "ec2_launch", *arguments)


def address(world):
    listed = subprocess.run(
        ["ansible-inventory", "-i", "inventories/lab", "--host", f"{PROJECT}-only"],
        cwd=ROOT,
        env=world.environment,
        check=True,
        capture_output=True,
    ).stdout
    return json.loads(listed)["private_ip_address"]


@pytest.fixture
def destroyed():
    """Leave nothing of the project behind."""
    yield
    confirmed = ("--tags", "ec2_launch", "-e", f"hanger_destroy_confirm={PROJECT}")
    gone = platform().play(*confirmed, playbook="playbooks/destroy.yml")
    assert gone.code == 0, gone.output


def is_open(host, port):
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((host, port)) == 0


def test_session_manager_reaches_a_machine_without_an_open_port(tmp_path):
    world = platform(HANGER_ACCESS="ssm")
    first, second = launch(world), launch(world)
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert (first.changed > 0, second.changed) == (True, 0), second.output
    assert not is_open(address(world), 22)
    (tmp_path / "small.yml").write_text(SMALL)
    (tmp_path / "blob").write_bytes(os.urandom(200_000))
    (tmp_path / "template").write_text("{{ ansible_facts.hostname }}\n")
    paths = {name: str(tmp_path / name) for name in ("blob", "template", "fetched")}
    runs = [world.play("-e", json.dumps(paths), playbook=str(tmp_path / "small.yml")) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[0].output + runs[1].output
    assert runs[1].changed == 0, runs[1].output
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "blob").read_bytes()


def test_ssh_goes_through_the_engine_where_addresses_cannot_be_reached(facts):
    world = platform()
    command = proxy_command(Lab(Path(facts["directory"]), ROOT))
    proxied = ("-e", json.dumps({"hanger_ssh_proxy_command": command}))
    assert launch(world, *proxied).code == 0
    again = launch(world, *proxied)
    assert (again.code, again.changed) == (0, 0), again.output
    asked = subprocess.run(
        ["ansible", "-i", "inventories/lab", "oltp", *proxied, "-m", "command", "-a", "printenv SSH_CONNECTION"],
        cwd=ROOT,
        env=world.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert f"{address(world)} " in asked.splitlines()[-1]
