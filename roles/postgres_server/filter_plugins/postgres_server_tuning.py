"""Settings that fit a machine: the rules that PGTune publishes, over PostgreSQL's own advice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Workload:
    """What a kind of use asks for; parts of the memory are its reciprocals, WAL is in MB."""

    connections: int
    min_wal: int
    max_wal: int
    maintenance_part: int = 16
    statistics: int = 100
    work_memory_part: int = 1


WORKLOADS = {
    "web": Workload(200, 1024, 4096),
    "oltp": Workload(300, 2048, 8192),
    "warehouse": Workload(40, 4096, 16384, maintenance_part=8, statistics=500, work_memory_part=2),
    "mixed": Workload(100, 1024, 4096, work_memory_part=2),
}
# random_page_cost and effective_io_concurrency.
DISKS = {"hdd": (4, 2), "ssd": (1.1, 200), "ebs": (1.1, 200)}
WAL_PART_OF_DISK = 8
LEAST_WAL = 64


def postgres_server_tuning(
    machine: Mapping[str, Any], workload: str, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return settings for `memory_mb`, `cores`, `disk` and `disk_mb` of a machine.

    A chosen `max_connections` among the settings divides the memory of the sessions.
    """
    use = WORKLOADS[workload]
    memory, cores = int(machine["memory_mb"]), int(machine["cores"])
    random_page_cost, concurrency = DISKS[machine["disk"]]
    buffers = max(memory // 4, 16)
    connections = int((settings or {}).get("max_connections", use.connections))
    workers = max(cores, 8)
    sessions = (memory - buffers) * 1024 // ((connections + workers) * 3) // use.work_memory_part
    tuned = {
        "max_connections": connections,
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "maintenance_work_mem": f"{min(max(memory // use.maintenance_part, 16), 2048)}MB",
        "work_mem": f"{max(sessions, 64)}kB",
        "wal_buffers": f"{min(max(buffers * 1024 * 3 // 100, 64), 16384)}kB",
        "checkpoint_completion_target": 0.9,
        "default_statistics_target": use.statistics,
        "random_page_cost": random_page_cost,
        "effective_io_concurrency": concurrency,
        "huge_pages": "try" if memory >= 32768 else "off",
        **_wal(use, int(machine["disk_mb"])),
    }
    return {**tuned, **_parallel(workload, cores)}


def _wal(use: Workload, disk: int) -> dict[str, str]:
    """Bound the write-ahead log by the disk, which it shares with the data."""
    share = max(disk // WAL_PART_OF_DISK, LEAST_WAL)
    return {"min_wal_size": f"{min(use.min_wal, share // 2)}MB", "max_wal_size": f"{min(use.max_wal, share)}MB"}


def _parallel(workload: str, cores: int) -> dict[str, int]:
    """Share the cores among the workers of one query; below four the server's own values stay."""
    if cores < 4:
        return {}
    half = math.ceil(cores / 2)
    return {
        "max_worker_processes": max(cores, 8),
        "max_parallel_workers": cores,
        "max_parallel_workers_per_gather": half if workload == "warehouse" else min(half, 4),
        "max_parallel_maintenance_workers": min(half, 4),
    }


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"postgres_server_tuning": postgres_server_tuning}
