"""`hanger-lab up`: from nothing, or from whatever a killed run left, to a running lab."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from hanger_lab import session_plugin
from hanger_lab.airbyte_image import AirbyteImage, airbyte_image
from hanger_lab.config import Lab
from hanger_lab.ec2.tls import authority
from hanger_lab.files import private_directory, write_private
from hanger_lab.keys import AccessKey, KeyPair, ec2_key, provisioner_key
from hanger_lab.lock import exclusive
from hanger_lab.machines import Engine, ensure_image
from hanger_lab.machines.hosttools import require
from hanger_lab.machines.provision import provide_engine
from hanger_lab.machines.recipes import BASE_IMAGES
from hanger_lab.processes import Service
from hanger_lab.progress import Progress
from hanger_lab.reach import Reach, reach, way
from hanger_lab.services import SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, check_ports, ec2_service, snowflake_service

# What Ansible reaches the machines with.
CLIENTS = {"ssh": "openssh-client"}
PREFERRED_VPC = IPv4Network("10.77.0.0/16")
SERVICES_PREFIX = 24
READY_SECONDS = 120.0


def up(lab: Lab, progress: Progress) -> dict[str, Any]:
    """Bring the lab up and return its facts; what runs stays as it is.

    Raises PortTakenError, before anything is changed, and the errors of engine, images and services.
    """
    check_ports(lab)
    with exclusive(lab), ThreadPoolExecutor(max_workers=4) as pool:
        with progress.step("Docker engine"):
            require(CLIENTS, progress.say)
            engine = provide_engine(lab, progress.say)
            for name in engine.resume():
                progress.say(f"started {name}, which was down")
        images = {name: pool.submit(_image, engine, name, progress) for name in BASE_IMAGES}
        airbyte = pool.submit(_airbyte, lab, progress)
        try:
            services_range, vpc_range = networks(engine)
            access, keys = ec2_key(lab.directory), provisioner_key(lab.directory)
            ways = reach(lab, engine, services_range[1])
            progress.say(way(ways))
            endpoints = [
                ec2_service(lab, engine.address, access, ways.gateway),
                snowflake_service(lab, ways.gateway, keys),
            ]
            for service in endpoints:
                _start(service)
            with progress.step("EC2 and Snowflake endpoints"):
                for service in endpoints:
                    service.wait(READY_SECONDS)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        facts = _facts(lab, engine, ways, services_range, vpc_range, access, keys, _results(images), airbyte.result())
        write_facts(lab, facts)
    return facts


def networks(engine: Engine) -> tuple[IPv4Network, IPv4Network]:
    """Return the range whose first address the endpoints answer at, and the one kept for the platform's VPC.

    Both are chosen when the lab comes up first, and stay until `down`: the network of the services carries them.
    """
    name = f"{engine.prefix}services"
    if name not in engine.networks():
        services = engine.free_range(SERVICES_PREFIX)
        vpc = engine.free_range(PREFERRED_VPC.prefixlen, [PREFERRED_VPC], {"the network of the services": services})
        engine.create_network(name, services, reserved=vpc)
    return engine.networks()[name], engine.reserved()[name]


def read_facts(lab: Lab) -> dict[str, Any] | None:
    """Return the facts of a lab that was brought up; None when there are none."""
    try:
        facts = json.loads(lab.facts.read_text())
    except (OSError, json.JSONDecodeError):
        return None
    return facts if isinstance(facts, dict) else None


def write_facts(lab: Lab, facts: dict[str, Any]) -> None:
    """Write the facts, for the lab's owner only, whole or not at all; unchanged ones are not written again."""
    if read_facts(lab) != facts or lab.facts.stat().st_mode & 0o077:
        write_private(lab.facts, (json.dumps(facts, indent=2) + "\n").encode())


def _image(engine: Engine, name: str, progress: Progress) -> str:
    with progress.step(f"machine image {name}"):
        return ensure_image(engine, name)


def _airbyte(lab: Lab, progress: Progress) -> AirbyteImage:
    with progress.step("Airbyte image"):
        return airbyte_image(lab)


def _results(futures: dict[str, Future[str]]) -> dict[str, str]:
    return {name: future.result() for name, future in futures.items()}


def _start(service: Service) -> None:
    if service.current() and service.healthy():
        return
    service.stop()
    service.start()


def _session_plugin(lab: Lab) -> Path:
    path = lab.directory / session_plugin.FILE
    private_directory(path.parent)
    write_private(path, session_plugin.script(lab).encode())
    path.chmod(0o700)
    return path


def _facts(
    lab: Lab,
    engine: Engine,
    ways: Reach,
    services_range: IPv4Network,
    vpc_range: IPv4Network,
    access: AccessKey,
    keys: KeyPair,
    images: dict[str, str],
    airbyte: AirbyteImage,
) -> dict[str, Any]:
    return {
        "id": lab.id,
        "directory": str(lab.directory),
        "ec2": {
            "endpoint_url": f"http://127.0.0.1:{lab.ec2_port}",
            "region": lab.region,
            **asdict(access),
        },
        "network": {
            "services_gateway": str(services_range[1]),
            "services_cidr": str(services_range),
            "vpc_cidr": str(vpc_range),
        },
        "snowflake": {
            "account": SNOWFLAKE_ACCOUNT,
            "host": ways.host,
            "host_from_machines": ways.host_from_machines(engine, images[BASE_IMAGES[0]]),
            "port": lab.snowflake_port,
            "protocol": "http",
            "user": SNOWFLAKE_USER,
            "private_key_path": str(keys.private),
        },
        "airbyte": {"image": airbyte.tag, "archive": str(airbyte.archive)},
        "engine": {"docker_host": engine.address},
        "ssh": {"proxy_command": ways.proxy_command},
        "ssm": {"plugin": str(_session_plugin(lab)), "s3_endpoint_url": f"http://{ways.host}:{lab.ec2_port}"},
        "images": images,
        **({"s3": _s3(lab, ways.host)} if ways.gateway else {}),
    }


def _s3(lab: Lab, host: str) -> dict[str, Any]:
    """Tell where machines find S3 over TLS."""
    return {"host": host, "port": lab.ec2_port, "ca_certificate_path": str(authority(lab.directory).certificate)}
