"""How long it takes to plan and to fill an account, beside SnowDDL and permifrost, and what the emulated account costs.

Nothing here may import the package `snowflake`: while a benchmark runs, that name is this file. What speaks to an
account stands in peers/snowflake/ and runs in processes of its own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers" / "snowflake"
MODULE = "ansible_collections.thehanger.platform.plugins.modules.snowflake_account"
SAMPLES = 5
PEER_SAMPLES = {"snowddl": 2, "permifrost": 1}
PEER_SECONDS = 120.0
ACCOUNT = "HANGERLAB"
ADMIN = "HANGER_PROVISIONER"
# users, teams, technical roles, databases, schemas, and schemas that each technical role may use
LARGE = (200, 20, 80, 10, 500, 240)
FIRST = (400, 40, 160, 1, 999, 0)


def measure() -> Iterator[dict[str, Any]]:
    """Measure on accounts of its own, which end with it."""
    with TemporaryDirectory() as scratch:
        key = _key(Path(scratch))
        yield from _emulator(Path(scratch), key)
        yield from _first_apply(Path(scratch), key)
        yield from _plans(Path(scratch), key)


def _emulator(scratch: Path, key: Path) -> Iterator[dict[str, Any]]:
    """Compare the emulated account with fakesnow's own server, on which it stands."""
    alone = _free_port()
    with (
        _account(scratch / "emulator", key) as port,
        _process(["fakesnow", "-s", "-p", str(alone), "--host", "127.0.0.1"], scratch / "fakesnow.log", alone, "/"),
    ):
        found = json.loads(_run([sys.executable, str(PEERS / "client.py"), str(port), str(alone), str(key)])[1])
    ours, theirs = found["select_1_ms"]["emulated"], found["select_1_ms"]["fakesnow"]
    note = f"median of many by turns over one connector, {ours:.2f} ms against {theirs:.2f} ms; at most 3 wanted"
    yield _figure("select_1_overhead_ms", ours - theirs, "ms", note, "fakesnow's own server")
    ours, theirs = found["rows_per_s"]["emulated"], found["rows_per_s"]["fakesnow"]
    note = f"4 columns, {ours:.0f} rows/s against {theirs:.0f} rows/s; 0.8 wanted"
    yield _figure("fetch_1000000_rows_ratio", ours / theirs, "ratio", note, "fakesnow's own server")


def _first_apply(scratch: Path, key: Path) -> Iterator[dict[str, Any]]:
    state = _state(FIRST, key)
    with _account(scratch / "first", key) as port:
        arguments = _arguments(state.options(), port, key, scratch / "first.json")
        seconds, result = _module(arguments)
    objects = state.users + state.roles + state.databases + state.schemas
    note = f"{objects} objects and {len(result['statements']) - objects} grants of roles and privileges; 20 wanted"
    yield _figure(f"first_apply_{objects}_objects_s", seconds, "s", f"snowflake_account, {note}")


def _plans(scratch: Path, key: Path) -> Iterator[dict[str, Any]]:
    """Fill an account once, and let everybody find out that there is nothing to do."""
    state = _state(LARGE, key)
    size = f"{state.users} users, {state.roles} roles, {state.schemas} schemas, {state.grants} grants"
    name = f"no_change_{state.grants}_grants_s"
    with _account(scratch / "large", key) as port:
        seconds, result = _module(_arguments(state.options(), port, key, scratch / "apply.json"))
        note = f"snowflake_account, {len(result['statements'])} statements one after the other"
        yield _figure(f"first_apply_{state.grants}_grants_s", seconds, "s", note)
        arguments = _arguments(state.options(), port, key, scratch / "check.json", check=True)
        before = _processor_seconds()
        samples = [_planned(arguments) for _ in range(SAMPLES)]
        ours, busy = statistics.median(samples), (_processor_seconds() - before) / SAMPLES
        note = f"{size}; snowflake_account in check mode, its own entry, as a whole process; median of {SAMPLES}, "
        yield _figure(f"plan_{name}", ours, "s", f"{note}{min(samples):.1f} to {max(samples):.1f}; 5 wanted")
        yield _figure("plan_processor_s", busy, "s", "processor time of that process, which other work does not change")
        sent = _sent(_run([sys.executable, str(PEERS / "launch.py"), MODULE, str(arguments)], _here(port))[2])
        yield _figure(
            "plan_statements", sent, "statements", "one for each kind, role that is described, and user's key"
        )
        seconds = _playbook(state.options(), port, key, scratch / "play.yml")
        yield _figure(
            f"playbook_{name}", seconds, "s", "the same by ansible-playbook --check, which has to carry it all"
        )
        peers: dict[str, float] = {}
        for peer, command in _peer_commands(state, key, scratch).items():
            taken, note = _peer(peer, command, port, key)
            peers[peer] = taken
            yield _figure(f"{peer}_plan_{name}", taken, "s", f"{note}; the same account", peer)
    fastest = min(peers, key=lambda peer: peers[peer])
    yield _figure("ratio_to_fastest_peer", peers[fastest] / ours, "ratio", "times faster; 5 wanted", fastest)


def _planned(arguments: Path) -> float:
    seconds, result = _module(arguments)
    if result["changed"]:
        raise SystemExit(f"a plan of what is there must change nothing, this one says: {result['plan'][:5]}")
    return seconds


def _module(arguments: Path) -> tuple[float, dict[str, Any]]:
    """Run snowflake_account as a process of its own; return the seconds and the result."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "collections")}
    seconds, output, _ = _run([sys.executable, "-m", MODULE, str(arguments)], environment)
    return seconds, json.loads(output)


def _playbook(options: Mapping[str, Any], port: int, key: Path, path: Path) -> float:
    task = {"thehanger.platform.snowflake_account": {**options, **_connection(port, key)}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
    path.write_text(json.dumps([play]))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    command = ["ansible-playbook", "-i", "localhost,", "--check", "-e", interpreter, str(path)]
    seconds, output, _ = _run(command, {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")})
    if not re.search(r"localhost\s+: ok=1\s+changed=0", output):
        raise SystemExit(f"a plan of what is there must change nothing:\n{output[-2000:]}")
    return seconds


def _peer_commands(state: Any, key: Path, scratch: Path) -> dict[str, list[str]]:
    """Return what each peer is run with, their configurations written."""
    (scratch / "snowddl").mkdir()
    state.write_snowddl(scratch / "snowddl")
    state.write_permifrost(scratch / "permifrost.yml")
    login = ["-a", ACCOUNT, "-u", ADMIN, "-k", str(key), "-r", "ACCOUNTADMIN"]
    kinds = ["--include-object-types", "database,schema,role,user"]
    return {
        "snowddl": ["-c", str(scratch / "snowddl"), *login, *kinds, "plan"],
        "permifrost": ["run", "--dry", str(scratch / "permifrost.yml")],
    }


def _peer(peer: str, command: list[str], port: int, key: Path) -> tuple[float, str]:
    """Return the seconds that a peer takes for a plan, and what to say about it."""
    python = _environment(peer)
    login = {"USER": ADMIN, "ACCOUNT": ACCOUNT, "ROLE": "SECURITYADMIN", "KEY_PATH": str(key)}
    login |= {"DATABASE": "DB_00", "WAREHOUSE": "NONE"}  # which permifrost wants to know and does not need
    environment = _here(port) | {f"PERMISSION_BOT_{name}": value for name, value in login.items()}
    samples: list[float] = []
    errors = ""
    before = _processor_seconds()
    for _ in range(PEER_SAMPLES[peer]):
        try:
            seconds, _, errors = _run(
                [str(python), str(PEERS / "launch.py"), peer, *command], environment, PEER_SECONDS
            )
        except subprocess.TimeoutExpired:
            return PEER_SECONDS, f"not finished after {PEER_SECONDS:.0f} s and stopped"
        samples.append(seconds)
    suggested = re.search(r"Suggested (\d+) DDL", errors)
    busy = (_processor_seconds() - before) / len(samples)
    note = f"median of {len(samples)}, {busy:.1f} s of processor time, {_sent(errors)} statements"
    return statistics.median(samples), f"{note}, {suggested[1]} changes suggested" if suggested else note


def _environment(peer: str) -> Path:
    """Return the Python of the peer's own environment, with what its pinned file says."""
    python = ROOT / ".bench" / peer / "bin" / "python"
    if not python.exists():
        _run(["uv", "venv", "--quiet", "--python", sys.executable, str(python.parent.parent)])
    _run(["uv", "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(PEERS / f"{peer}.txt")])
    return python


def _here(port: int) -> dict[str, str]:
    """Return the environment of a process that talks to the account at the port."""
    return {**os.environ, "HANGER_BENCH_PORT": str(port), "PYTHONPATH": str(ROOT / "collections")}


def _sent(errors: str) -> int:
    return int(re.findall(r"statements=(\d+)", errors)[-1])


def _arguments(options: Mapping[str, Any], port: int, key: Path, path: Path, check: bool = False) -> Path:
    """Write the arguments of the module the way it takes them without Ansible."""
    own = {"_ansible_check_mode": check, "_ansible_module_name": "snowflake_account"}
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **_connection(port, key), **own}}))
    return path


def _connection(port: int, key: Path) -> dict[str, Any]:
    here = {"host": "127.0.0.1", "port": port, "protocol": "http", "network_timeout": 600}
    return {"account": ACCOUNT, "user": ADMIN, "role": "ACCOUNTADMIN", "private_key_path": str(key), **here}


def _state(size: tuple[int, ...], key: Path) -> Any:
    """Return an account of this size; every user has the same key."""
    specification = importlib.util.spec_from_file_location("bench_snowflake_state", PEERS / "state.py")
    if specification is None or specification.loader is None:
        raise SystemExit(f"{PEERS / 'state.py'} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    public = "".join(key.with_suffix(".pub").read_text().splitlines()[1:-1])
    return module.State(*size, public)


def _key(directory: Path) -> Path:
    """Make a key pair; the public half stands beside it."""
    key = directory / "key.p8"
    _run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", str(key)])
    _run(["openssl", "pkey", "-in", str(key), "-pubout", "-out", str(key.with_suffix(".pub"))])
    return key


@contextlib.contextmanager
def _account(directory: Path, key: Path) -> Iterator[int]:
    """Run an emulated account and return its port."""
    port = _free_port()
    command = [sys.executable, "-m", "hanger_lab.snowflake", "serve", "--port", str(port), "--data-dir", str(directory)]
    command += ["--account", ACCOUNT, "--admin-user", ADMIN, "--admin-public-key", str(key.with_suffix(".pub"))]
    with _process(command, directory.with_suffix(".log"), port, "/healthz"):
        yield port


@contextlib.contextmanager
def _process(command: list[str], log: Path, port: int, path: str) -> Iterator[None]:
    """Run a server until it is not needed any more."""
    with log.open("wb") as stream, subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream) as process:
        try:
            _wait(process, port, path, log)
            yield
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{' '.join(map(str, process.args))} does not answer:\n{log.read_text()[-2000:]}")


def _processor_seconds() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(
    command: list[str], environment: Mapping[str, str] | None = None, limit: float | None = None
) -> tuple[float, str, str]:
    """Return the seconds that a command took, and what it wrote; raises TimeoutExpired after `limit` seconds."""
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=limit
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return time.monotonic() - started, done.stdout, done.stderr


def _figure(name: str, value: float, unit: str, note: str, peer: str | None = None) -> dict[str, Any]:
    note = f"{note}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    return {"name": name, "value": round(value, 2), "unit": unit, "peer": peer, "note": note}
