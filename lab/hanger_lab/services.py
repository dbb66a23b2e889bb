"""The lab's endpoints as processes."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address

from hanger_lab.config import Lab
from hanger_lab.keys import AccessKey, KeyPair
from hanger_lab.machines.recipes import digest
from hanger_lab.ports import require_free
from hanger_lab.processes import Service
from hanger_lab.sources import source_files

SNOWFLAKE_ACCOUNT = "HANGERLAB"
SNOWFLAKE_USER = "HANGER_PROVISIONER"
NAMES = ("ec2", "snowflake")


def ec2_service(
    lab: Lab, docker_host: str = "", access: AccessKey | None = None, gateway: IPv4Address | None = None
) -> Service:
    """Return the EC2 endpoint; `access` is what it compares calls with, the gateway where machines reach its S3."""
    command = [sys.executable, "-m", "hanger_lab.ec2", "serve"]
    command += ["--machines-address", str(gateway)] if gateway else []
    return Service(
        lab_id=lab.id,
        name="ec2",
        directory=lab.directory,
        command=command,
        health=f"http://127.0.0.1:{lab.ec2_port}/healthz",
        key=digest(
            command,
            lab.ec2_port,
            docker_host,
            _sources("ec2"),
            _sources("machines"),
            access.access_key if access else "",
        ),
        environment=environment(lab) | ({"DOCKER_HOST": docker_host} if docker_host else {}),
    )


def snowflake_service(lab: Lab, gateway: IPv4Address | None = None, keys: KeyPair | None = None) -> Service:
    """Return the Snowflake endpoint, which machines reach at the services network's gateway."""
    addresses = ["127.0.0.1", *([str(gateway)] if gateway else [])]
    command = [
        *(sys.executable, "-m", "hanger_lab.snowflake", "serve"),
        *(word for address in addresses for word in ("--bind", address)),
        *("--port", str(lab.snowflake_port), "--data-dir", str(lab.directory / "snowflake")),
        *("--account", SNOWFLAKE_ACCOUNT, "--admin-user", SNOWFLAKE_USER),
        *(("--admin-public-key", str(keys.public)) if keys else ()),
    ]
    return Service(
        lab_id=lab.id,
        name="snowflake",
        directory=lab.directory,
        command=command,
        health=f"http://127.0.0.1:{lab.snowflake_port}/healthz",
        key=digest(command, _sources("snowflake"), keys.public.read_text() if keys else ""),
        environment=environment(lab),
    )


def services(lab: Lab) -> list[Service]:
    """Return every endpoint, to look at or to stop, not to start."""
    return [ec2_service(lab), snowflake_service(lab)]


def check_ports(lab: Lab) -> None:
    """Raise PortTakenError when a port that an endpoint is to listen on belongs to something else."""
    ports = {
        "ec2": (lab.ec2_port, "HANGER_LAB_EC2_PORT"),
        "snowflake": (lab.snowflake_port, "HANGER_LAB_SNOWFLAKE_PORT"),
    }
    if lab.ec2_port == lab.snowflake_port:
        raise ValueError(f"HANGER_LAB_EC2_PORT and HANGER_LAB_SNOWFLAKE_PORT are both {lab.ec2_port}")
    for service in services(lab):
        port, variable = ports[service.name]
        if not service.pids():
            require_free(port, f"the {service.name} endpoint", variable)


def environment(lab: Lab) -> dict[str, str]:
    """Return the variables from which `Lab.from_environment` reads the same lab."""
    return {
        "HANGER_LAB_DIR": str(lab.directory),
        "HANGER_LAB_CACHE": str(lab.cache),
        "HANGER_LAB_EC2_PORT": str(lab.ec2_port),
        "HANGER_LAB_SNOWFLAKE_PORT": str(lab.snowflake_port),
    }


def _sources(package: str) -> str:
    """Return what tells one state of the sources from another, so that an endpoint restarts with new ones."""
    contents = {name: path.read_bytes().hex() for name, path in source_files((package,)).items()}
    return digest(contents)
