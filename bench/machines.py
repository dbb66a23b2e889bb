"""How long machines take: from RunInstances to a login, ten at once, a run with nothing to do, and their removal."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PORTS = {"HANGER_LAB_EC2_PORT": "5571", "HANGER_LAB_SNOWFLAKE_PORT": "8089"}
PROJECT = "bench"
SAMPLES = 5
LOGIN_SECONDS = 60.0
IMAGE = {"owner": "136693071363", "name": "debian-13-amd64-*"}


def measure() -> Iterator[dict[str, Any]]:
    """Measure in a lab of its own and remove it; images come from the project's cache."""
    directory = ROOT / ".lab" / "bench-machines"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **PORTS,
        "HANGER_LAB_DIR": str(directory),
        "HANGER_LAB_CACHE": str(ROOT / ".lab" / "cache"),
        "HANGER_PROJECT": PROJECT,
    }
    _timed(["hanger-lab", "up"], environment)
    try:
        facts = json.loads((directory / "lab.json").read_text())
        yield from _logins(facts)
        yield from _playbooks(environment)
    finally:
        _timed(["hanger-lab", "down"], environment)


def _logins(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    with TemporaryDirectory() as scratch, _network(facts, Path(scratch) / "key") as network:
        network.login_after(1)
        samples = [network.login_after(1) for _ in range(SAMPLES)]
        note = f"median of {SAMPLES}, from {min(samples):.1f} to {max(samples):.1f}; `ssh … true` as the login user"
        yield _figure("ssh_after_run_instances_s", statistics.median(samples), note)
        yield _figure("ssh_ten_machines_s", network.login_after(10), "one RunInstances of ten, the last login")


def _playbooks(environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    launch = ["ansible-playbook", "site.yml", "--tags", "ec2_launch"]
    _timed(["ansible-playbook", "site.yml"], environment)
    seconds, output = _timed(launch, environment)
    changed = sum(int(count) for count in re.findall(r"changed=(\d+)", output))
    if changed:
        raise SystemExit(f"a second run must change nothing, this one says changed={changed}:\n{output[-4000:]}")
    yield _figure("ec2_launch_second_run_s", seconds, "site.yml --tags ec2_launch on the whole platform, changed=0")
    destroy = ["ansible-playbook", "playbooks/destroy.yml", "-e", f"hanger_destroy_confirm={PROJECT}"]
    destroy += ["-e", "hanger_destroy_backups=delete"]
    seconds, _ = _timed(destroy, environment)
    yield _figure("destroy_s", seconds, "the whole platform, the warehouse's objects too")


class _Network:
    """A network with a key, in which machines are launched and logged in to."""

    def __init__(self, ec2: Any, launch: dict[str, Any], ssh: list[str]) -> None:
        self._ec2, self._launch, self._ssh = ec2, launch, ssh

    def login_after(self, count: int) -> float:
        """Launch machines, return the seconds until the last one let in, and terminate them."""
        started = time.monotonic()
        instances = self._ec2.run_instances(**self._launch, MinCount=count, MaxCount=count)["Instances"]
        try:
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(self._login, (instance["InstanceId"] for instance in instances)))
            return time.monotonic() - started
        finally:
            self._ec2.terminate_instances(InstanceIds=[instance["InstanceId"] for instance in instances])

    def _login(self, instance_id: str) -> None:
        deadline = time.monotonic() + LOGIN_SECONDS
        while True:
            described = self._ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
            command = [*self._ssh, f"admin@{described['PublicIpAddress']}", "true"]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"no login to {instance_id} in {LOGIN_SECONDS:.0f} s: {result.stderr}")
            time.sleep(0.1)


@contextmanager
def _network(facts: Mapping[str, Any], key: Path) -> Iterator[_Network]:
    import boto3

    ec2 = boto3.Session(
        facts["ec2"]["access_key"], facts["ec2"]["secret_key"], region_name=facts["ec2"]["region"]
    ).client("ec2", endpoint_url=facts["ec2"]["endpoint_url"])
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    ec2.import_key_pair(KeyName=PROJECT, PublicKeyMaterial=key.with_suffix(".pub").read_bytes())
    cidr = facts["network"]["vpc_cidr"]
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=re.sub("/.*", "/24", cidr))["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="ssh", Description="SSH", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{facts['network']['services_gateway']}/32"
    )
    images = ec2.describe_images(Owners=[IMAGE["owner"]], Filters=[{"Name": "name", "Values": [IMAGE["name"]]}])
    interface = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": True}
    launch = {
        "ImageId": max(images["Images"], key=lambda image: str(image["CreationDate"]))["ImageId"],
        "InstanceType": "t3.small",
        "KeyName": PROJECT,
        "NetworkInterfaces": [interface],
    }
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=2", "BatchMode=yes"]
    if proxy := facts.get("ssh", {}).get("proxy_command"):
        options.append(f"ProxyCommand={proxy}")
    ssh = ["ssh", "-i", str(key), *(word for option in options for word in ("-o", option))]
    try:
        yield _Network(ec2, launch, ssh)
    finally:
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=vpc)
        ec2.delete_key_pair(KeyName=PROJECT)


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    started = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return time.monotonic() - started, result.stdout


def _figure(name: str, value: float, note: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 1), "unit": "s", "peer": None, "note": note}
