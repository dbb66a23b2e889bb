"""A lab's hold on a Docker engine: its networks and machines."""

from __future__ import annotations

import io
import logging
import re
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Mount

from hanger_lab.config import Lab
from hanger_lab.machines import ranges
from hanger_lab.machines.errors import EngineError, MachineError, MachinesError, RangeError
from hanger_lab.machines.execution import execute
from hanger_lab.machines.locate import engine_address
from hanger_lab.machines.model import LAB_LABEL, Content, Machine, MachineStatus, seed_file
from hanger_lab.machines.trust import trust_files

log = logging.getLogger(__name__)

STOP_SECONDS = 20
# Systemd's reboot, which ends with a code (files/reboot.conf): what an engine stopped for its own end comes back with
# it, what the machine's own administrator switched off has ended with 0 and does not.
STOP_SIGNAL = "RTMIN+5"
POWERED_OFF = 0
RESERVED_LABEL = "com.thehanger.reserved"
# What systemd and a Docker engine inside a machine need; see files/hanger-init.
CAPABILITIES = ["SYS_ADMIN", "NET_ADMIN"]
LOOP_DEVICES = ["b 7:* rmw", "c 10:237 rmw"]
SECURITY = ["seccomp=unconfined", "apparmor=unconfined"]
TEMPORARY = {"/run": "", "/run/lock": "", "/tmp": "exec"}  # noqa: S108
SHARED_MEMORY = "1g"
ELASTIC = "-addresses"  # how a network's name ends that carries further addresses, not a machine's own one
_EXIT_CODE = re.compile(r"Exited \((\d+)\)")
HOST_NAME = "host.docker.internal"


class Engine:
    """A lab's hold on a Docker engine. Every object it makes carries the lab's label and the lab's name prefix."""

    def __init__(self, lab: Lab, client: docker.DockerClient, address: str) -> None:
        """Use `connect`, which finds and checks the engine."""
        self.lab = lab
        self.client = client
        self.address = address
        self.prefix = f"hanger-{lab.id}-"
        self.build_prefix = f"{self.prefix}build-"

    @classmethod
    def connect(cls, lab: Lab) -> Engine:
        """Return the engine that DOCKER_HOST names, else the lab's own one, else the default socket's.

        Raises EngineError with what to do when there is none or when it does not run Linux containers.
        """
        address = engine_address(lab)
        try:
            client = docker.DockerClient(base_url=address, timeout=120)
            info = client.info()
        except DockerException as error:
            raise EngineError(f"no Docker engine answers at {address}: {error}") from error
        if info.get("OSType") != "linux":
            raise EngineError(f"the lab needs an engine for Linux containers, {address} is for {info.get('OSType')}")
        return cls(lab, client, address)

    def labels(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the lab's label with others."""
        return {**(extra or {}), LAB_LABEL: self.lab.id}

    def networks(self) -> dict[str, IPv4Network]:
        """Return the range of every network of the engine, whoever made it."""
        found = {}
        with self._errors(EngineError, "list networks"):
            for network in self.client.networks.list():
                for pool in (network.attrs.get("IPAM") or {}).get("Config") or []:
                    try:
                        found[str(network.name)] = IPv4Network(pool.get("Subnet", ""), strict=False)
                    except (AddressValueError, NetmaskValueError):
                        continue
        return found

    def reserved(self) -> dict[str, IPv4Network]:
        """Return the range that a lab's network keeps free for later, by the network's name."""
        with self._errors(EngineError, "list networks"):
            labels = {network.name: network.attrs.get("Labels") or {} for network in self.client.networks.list()}
        return {str(name): IPv4Network(own[RESERVED_LABEL]) for name, own in labels.items() if RESERVED_LABEL in own}

    def network(self, name: str) -> IPv4Network | None:
        """Return the range of a network; None when there is none of this name."""
        return self.networks().get(name)

    def create_network(
        self, name: str, cidr: IPv4Network, reserved: IPv4Network | None = None, *, internal: bool = False
    ) -> None:
        """Create a bridge whose gateway is the first host address; one that exists with the same range stays.

        A reserved range is kept from the labs that choose theirs later. An internal network leads to the host only:
        machines do not take their default route through it.
        Raises RangeError when something else uses the range.
        """
        networks = self.networks()
        if name in networks:
            if networks[name] == cidr:
                return
            raise RangeError(f"network {name} exists with the range {networks[name]}, not {cidr}")
        if reasons := ranges.range_conflicts(cidr, networks):
            raise RangeError(f"{cidr} cannot be used for {name}: it overlaps {', '.join(reasons)}")
        pool = IPAMPool(subnet=str(cidr), gateway=str(cidr[1]))
        labels = self.labels({RESERVED_LABEL: str(reserved)} if reserved else None)
        with self._errors(EngineError, f"create network {name}"):
            self.client.networks.create(
                name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                labels=labels,
                check_duplicate=True,
                internal=internal,
            )

    def remove_network(self, name: str) -> None:
        """Remove a network; one that does not exist is fine."""
        with self._errors(EngineError, f"remove network {name}"):
            for network in self.client.networks.list(names=[name]):
                if network.name == name:
                    network.remove()

    def free_range(
        self, prefix: int, candidates: Sequence[IPv4Network] = (), taken: Mapping[str, IPv4Network] | None = None
    ) -> IPv4Network:
        """Return the first candidate, else the first range of the pool, that nobody uses or keeps or has taken."""
        kept = {f"{name}, which keeps a range": network for name, network in self.reserved().items()}
        return ranges.free_range(prefix, candidates, {**self.networks(), **kept, **(taken or {})})

    def launch(self, machine: Machine) -> None:
        """Create a machine, put its files in, start it; on any failure remove what was made, raise MachineError."""
        if not machine.name.startswith(self.prefix):
            raise MachineError(f"a machine of this lab is named {self.prefix}…, not {machine.name}")
        with self._errors(MachineError, f"launch {machine.name}"):
            if self._find(machine.name):
                raise MachineError(f"a machine named {machine.name} exists")
            try:
                self._create(machine)
                self.put_files(machine.name, {**trust_files(), **machine.files})
                self.client.api.start(machine.name)
            except BaseException:
                self.remove(machine.name)
                raise

    def start(self, name: str) -> None:
        """Boot a machine; one that runs is fine."""
        with self._errors(MachineError, f"start {name}"):
            self.client.api.start(name)
            self._stop_mark(name).unlink(missing_ok=True)

    def stop(self, name: str) -> None:
        """Shut a machine down and keep its disk."""
        with self._errors(MachineError, f"stop {name}"):
            self._stop_mark(name).parent.mkdir(parents=True, exist_ok=True)
            self._stop_mark(name).touch()
            self.client.api.stop(name, timeout=STOP_SECONDS)

    def restart(self, name: str) -> None:
        """Reboot a machine."""
        with self._errors(MachineError, f"restart {name}"):
            self.client.api.restart(name, timeout=STOP_SECONDS)

    def remove(self, name: str) -> None:
        """Remove a machine with its volumes; one that does not exist is fine."""
        with self._errors(MachineError, f"remove {name}"):
            self._stop_mark(name).unlink(missing_ok=True)
            if container := self._find(name):
                container.remove(force=True, v=True)
            try:
                self.client.volumes.get(_volume(name)).remove(force=True)
            except NotFound:
                return

    def attach(self, name: str, network: str, address: IPv4Address) -> None:
        """Give a machine, running or not, an interface in a further network; one that has this address stays."""
        with self._errors(MachineError, f"give {name} the address {address}"):
            status = next((machine for machine in self.machines() if machine.name == name), None)
            if status and status.addresses.get(network) == str(address):
                return
            self.client.api.connect_container_to_network(name, network, ipv4_address=str(address))

    def detach(self, name: str, network: str) -> None:
        """Take a machine's interface in a network away; none is fine."""
        with self._errors(MachineError, f"take {name} out of {network}"):
            status = next((machine for machine in self.machines() if machine.name == name), None)
            if status and network in status.addresses:
                self.client.api.disconnect_container_from_network(name, network)

    def resume(self) -> list[str]:
        """Boot the machines that an engine which ended badly left down; those stopped or switched off stay so."""
        ended = (machine for machine in self.machines() if machine.state in ("exited", "dead"))
        down = [machine.name for machine in ended if machine.exit_code != POWERED_OFF]
        names = [name for name in down if not self._stop_mark(name).exists()]
        for name in names:
            self.start(name)
        return names

    def put_files(self, name: str, files: Mapping[str, Content]) -> None:
        """Write files into a machine, running or not; paths are absolute, parents are made."""
        with self._errors(MachineError, f"put files into {name}"):
            self.client.api.put_archive(name, "/", archive(files))

    def run(self, name: str, command: Sequence[str], stdin: bytes | None = None) -> str:
        """Run a command as root in a running machine, return its output; raise MachineError when it fails."""
        with self._errors(MachineError, f"run {command[0]} in {name}"):
            code, output, complaint = execute(self.client.api, name, command, stdin)
        if code:
            text = (complaint or output).decode(errors="replace").strip()
            raise MachineError(f"{' '.join(command)} in {name} ended with {code}: {text}")
        return output.decode(errors="replace")

    def host_address(self, image: str) -> str:
        """Return the address at which containers reach the engine's host, by the engine's own name for it."""
        with self._errors(EngineError, "ask for the host's address"):
            found = self.client.containers.run(
                image,
                ["getent", "ahostsv4", HOST_NAME],
                name=f"{self.build_prefix}host-address",
                extra_hosts={HOST_NAME: "host-gateway"},
                labels=self.labels(),
                remove=True,
            )
        return str(found.decode().split()[0])

    def machines(self) -> list[MachineStatus]:
        """Return the machines of this lab in the order of their names."""
        with self._errors(EngineError, "list machines"):
            containers = self.client.api.containers(all=True, filters={"label": f"{LAB_LABEL}={self.lab.id}"})
        statuses = (_status(container) for container in containers)
        machines = (status for status in statuses if not status.name.startswith(self.build_prefix))
        return sorted(machines, key=lambda status: status.name)

    def _create(self, machine: Machine) -> None:
        api = self.client.api
        self.client.volumes.create(_volume(machine.name), labels=self.labels())
        host_config = api.create_host_config(
            cap_add=CAPABILITIES,
            security_opt=SECURITY,
            device_cgroup_rules=LOOP_DEVICES if machine.loop_devices else None,
            cgroupns="private",
            tmpfs=TEMPORARY,
            shm_size=SHARED_MEMORY,
            restart_policy={"Name": "on-failure"},
            mounts=[Mount("/var/lib/docker", _volume(machine.name), labels=self.labels())],
        )
        endpoint = EndpointConfig(
            api.api_version,
            aliases=list(machine.aliases),
            ipv4_address=str(machine.address) if machine.address else None,
        )
        try:
            api.create_container(
                machine.image,
                name=machine.name,
                hostname=machine.hostname or machine.name,
                labels=self.labels(machine.labels),
                stop_signal=STOP_SIGNAL,
                host_config=host_config,
                networking_config=api.create_networking_config({machine.network: endpoint}),  # type: ignore[arg-type]
            )
        except ImageNotFound as error:
            raise MachineError(f"no image {machine.image} in the engine: `hanger-lab up` builds it") from error

    def _stop_mark(self, name: str) -> Path:
        return self.lab.directory / "run" / "stopped" / name

    def _find(self, name: str) -> Any:
        try:
            return self.client.containers.get(name)
        except NotFound:
            return None

    @contextmanager
    def _errors(self, kind: type[MachinesError], action: str) -> Iterator[None]:
        try:
            yield
        except (APIError, DockerException, OSError) as error:
            detail = error.explanation if isinstance(error, APIError) and error.explanation else error
            raise kind(f"cannot {action}: {detail}") from error


def archive(files: Mapping[str, Content]) -> bytes:
    """Return a tar archive of files given by absolute path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            if not path.startswith("/"):
                raise ValueError(f"not an absolute path: {path}")
            file = seed_file(path, content)
            data = file.content.encode() if isinstance(file.content, str) else file.content
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode, info.uid, info.gid, info.mtime = len(data), file.mode, file.uid, file.gid, time.time()
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _volume(name: str) -> str:
    return f"{name}-docker"


def _status(container: Mapping[str, Any]) -> MachineStatus:
    endpoints = ((container.get("NetworkSettings") or {}).get("Networks") or {}).items()
    addresses = {
        network: (endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress") or ""
        for network, endpoint in endpoints
    }
    own = [address for network, address in addresses.items() if not network.endswith(ELASTIC)]
    code = _EXIT_CODE.match(str(container.get("Status", "")))
    return MachineStatus(
        name=str(container["Names"][0]).lstrip("/"),
        address=next((address for address in own if address), ""),
        state=str(container.get("State", "")),
        image=str(container.get("Image", "")),
        labels=dict(container.get("Labels") or {}),
        addresses=addresses,
        exit_code=int(code[1]) if code else None,
    )
