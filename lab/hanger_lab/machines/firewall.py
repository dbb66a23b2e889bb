"""What a private engine changes in the host's packet filter, recorded before and put back after."""

from __future__ import annotations

import json
import logging
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

PROGRAMS = ("iptables", "ip6tables")
TABLES = ("filter", "nat", "raw")
FORWARDING = {
    "net.ipv4.ip_forward": Path("/proc/sys/net/ipv4/ip_forward"),
    "net.ipv6.conf.all.forwarding": Path("/proc/sys/net/ipv6/conf/all/forwarding"),
    "net.ipv6.conf.default.forwarding": Path("/proc/sys/net/ipv6/conf/default/forwarding"),
}
# Not DOCKER_OUTPUT and the like: those belong to a container in which the lab itself may run.
CHAIN = re.compile(r"^DOCKER(-|$)")


def record(path: Path) -> None:
    """Write down how things are, unless a record exists: then an earlier engine ended without putting them back."""
    if path.exists():
        return
    state: dict[str, Any] = {
        "forwarding": {name: file.read_text().strip() for name, file in FORWARDING.items() if file.exists()},
        "tables": {f"{program} {table}": _rules(program, table) for program in PROGRAMS for table in TABLES},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(state, indent=1))
    partial.replace(path)


def restore(path: Path) -> None:
    """Put back what was recorded: Docker's chains go if there were none, policies and forwarding are as before."""
    if not path.exists():
        return
    state = json.loads(path.read_text())
    for where, before in state["tables"].items():
        program, table = where.split()
        for command in undo(before, _rules(program, table)):
            _run(program, "-t", table, *command)
    for name, value in state["forwarding"].items():
        file = FORWARDING[name]
        if file.read_text().strip() != value:
            file.write_text(value)
    path.unlink()


def undo(before: Iterable[str], now: Iterable[str]) -> list[list[str]]:
    """Return the arguments that take a table (`-S` lines) back: Docker's chains, the jumps to them, the policies.

    Nothing is removed when Docker's chains existed before: another engine's rules are among them.
    """
    was, lines = list(before), [line.split() for line in now]
    commands = [["-P", *words[1:]] for words in (line.split() for line in was) if words[:1] == ["-P"]]
    commands = [words for words in commands if words not in lines]
    if any(_docker_chain(line.split()) for line in was):
        return commands
    chains = [words[1] for words in lines if _docker_chain(words)]
    jumps = [
        ["-D", *words[1:]]
        for words in lines
        if words[0] == "-A" and not CHAIN.match(words[1]) and any(CHAIN.match(word) for word in words[2:])
    ]
    return [*commands, *jumps, *(["-F", chain] for chain in chains), *(["-X", chain] for chain in chains)]


def _docker_chain(words: list[str]) -> bool:
    return len(words) == 2 and words[0] == "-N" and bool(CHAIN.match(words[1]))


def _rules(program: str, table: str) -> list[str]:
    return _run(program, "-t", table, "-S").splitlines()


def _run(program: str, *arguments: str) -> str:
    try:
        done = subprocess.run([program, "-w", *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    if done.returncode:
        log.debug("%s %s: %s", program, " ".join(arguments), done.stderr.strip())
    return done.stdout
