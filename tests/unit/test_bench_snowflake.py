"""The Snowflake benchmark compares like with like, ends what it starts, and makes no figure of a plan that changes."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers" / "snowflake"
SMALL = (6, 2, 4, 2, 8, 3)


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def state() -> Iterator[Any]:
    module = load("bench_snowflake_state", PEERS / "state.py")
    yield module.State(*SMALL, "MIIB")
    del sys.modules[module.__name__]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    module = load("bench_snowflake", ROOT / "bench" / "snowflake.py")
    answers = SimpleNamespace(module=module, ran=[], changed=False, slow="", errors="\nstatements=7\n")

    def run(command: list[str], environment: Any = None, limit: float | None = None) -> tuple[float, str, str]:
        answers.ran.append(command)
        if answers.slow and answers.slow in command:
            raise subprocess.TimeoutExpired(command, limit or 0)
        return 2.0, json.dumps({"changed": answers.changed, "plan": [{"name": "R"}]}), answers.errors

    monkeypatch.setattr(module, "_run", run)
    yield answers
    del sys.modules[module.__name__]


def test_the_account_has_the_size_that_is_named() -> None:
    module = load("bench_snowflake", ROOT / "bench" / "snowflake.py")
    made = load("bench_snowflake_state", PEERS / "state.py")
    large = made.State(*module.LARGE, "MIIB")
    assert (large.users, large.roles, large.schemas, large.grants) == (200, 300, 500, 20_000)
    options = large.options()
    assert [len(options[kind]) for kind in ("users", "roles", "schemas", "grants")] == [200, 300, 500, 20_000]
    assert len({json.dumps(grant, sort_keys=True) for grant in options["grants"]}) == 20_000
    first = made.State(*module.FIRST, "MIIB").options()
    assert sum(len(first[kind]) for kind in ("users", "roles", "schemas", "databases")) == 2000


def granted(options: dict[str, Any]) -> set[tuple[str, str]]:
    return {(item["role"], item["name"]) for item in options["grants"]}


def memberships(options: dict[str, Any]) -> set[tuple[str, str]]:
    given = {(role["name"], to) for role in options["roles"] for to in role.get("granted_to", [])}
    return given | {(role, user["name"]) for user in options["users"] for role in user["roles"]}


def test_snowddl_is_asked_for_the_same(state: Any, tmp_path: Path) -> None:
    state.write_snowddl(tmp_path)
    read = {name: yaml.safe_load((tmp_path / f"{name}.yaml").read_text()) for name in ("technical_role", "user")}
    teams = yaml.safe_load((tmp_path / "business_role.yaml").read_text())
    options = state.options()
    assert {
        (f"{role}__T_ROLE", place)
        for role, described in read["technical_role"].items()
        for places in described["grants"].values()
        for place in places
    } == granted(options)
    given = {(f"{user}__U_ROLE", user) for user in read["user"]}
    given |= {
        (f"{team}__B_ROLE", f"{u}__U_ROLE") for u, item in read["user"].items() for team in item["business_roles"]
    }
    given |= {(f"{role}__T_ROLE", f"{t}__B_ROLE") for t, item in teams.items() for role in item["technical_roles"]}
    assert given == memberships(options)
    schemas = {".".join(path.relative_to(tmp_path).parts) for path in tmp_path.glob("DB_*/*")}
    public = {f"{database['name']}.PUBLIC" for database in options["databases"]}
    assert schemas == {schema["name"] for schema in options["schemas"]} | public


def test_permifrost_is_asked_for_the_same(state: Any, tmp_path: Path) -> None:
    state.write_permifrost(tmp_path / "spec.yml")
    spec = yaml.safe_load((tmp_path / "spec.yml").read_text())
    roles = {name: item for entry in spec["roles"] for name, item in entry.items()}
    users = {name: item for entry in spec["users"] for name, item in entry.items()}
    options = state.options()
    held = {
        (role.upper(), place.upper())
        for role, item in roles.items()
        for places in item.get("privileges", {}).values()
        for place in places["read"]
    }
    assert held == granted(options)
    given = {
        (role.upper(), to.upper()) for to, item in {**roles, **users}.items() for role in item.get("member_of", [])
    }
    assert given == memberships(options)


def test_a_plan_that_changes_something_is_no_figure(bench: SimpleNamespace, tmp_path: Path) -> None:
    assert bench.module._planned(tmp_path / "arguments") == 2.0
    bench.changed = True
    with pytest.raises(SystemExit, match="must change nothing"):
        bench.module._planned(tmp_path / "arguments")


def test_a_peer_is_timed_as_often_as_said(bench: SimpleNamespace, tmp_path: Path) -> None:
    bench.errors = "Executed 0 DDL queries, Suggested 1 DDL queries\nstatements=7\n"
    assert bench.module._peer("snowddl", ["plan"], 1, tmp_path) == (
        2.0,
        "median of 2, 0.0 s of processor time, 7 statements, 1 changes suggested",
    )
    assert sum("plan" in command for command in bench.ran) == 2


def test_a_peer_that_does_not_finish_is_told(bench: SimpleNamespace, tmp_path: Path) -> None:
    bench.slow = "permifrost"
    seconds, note = bench.module._peer("permifrost", ["run"], 1, tmp_path)
    assert (seconds, note) == (120.0, "not finished after 120 s and stopped")


@pytest.mark.parametrize("peer", ["snowddl", "permifrost"])
def test_peers_are_pinned(peer: str) -> None:
    entries = [e for e in (PEERS / f"{peer}.txt").read_text().replace("\\\n", "").split("\n") if "==" in e]
    assert any(entry.startswith(f"{peer}==") for entry in entries)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_a_server_ends_with_the_benchmark(bench: SimpleNamespace, tmp_path: Path) -> None:
    port = bench.module._free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with bench.module._process(command, tmp_path / "log", port, "/"):
        socket.create_connection(("127.0.0.1", port), 5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_server_that_does_not_start_is_told(bench: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no such option")
    with (
        subprocess.Popen([sys.executable, "-c", ""]) as process,
        pytest.raises(SystemExit, match=r"(?s)does not answer.*no such option"),
    ):
        bench.module._wait(process, bench.module._free_port(), "/", tmp_path / "log")
