"""Filters that turn PostgreSQL's settings into parameters of RDS, and tell what a parameter group lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Item = Mapping[str, Any]
# What a parameter counts in, which the API does not tell: `unit` in pg_settings of PostgreSQL 17.
UNITS = {
    "8kB": """backend_flush_after bgwriter_flush_after checkpoint_flush_after commit_timestamp_buffers
        effective_cache_size io_combine_limit min_parallel_index_scan_size min_parallel_table_scan_size
        multixact_member_buffers multixact_offset_buffers notify_buffers serializable_buffers shared_buffers
        subtransaction_buffers temp_buffers transaction_buffers wal_buffers wal_writer_flush_after""",
    "kB": """autovacuum_work_mem gin_pending_list_limit huge_page_size log_rotation_size log_temp_files
        logical_decoding_work_mem maintenance_work_mem max_stack_depth temp_file_limit vacuum_buffer_usage_limit
        wal_skip_threshold work_mem""",
    "MB": "max_slot_wal_keep_size max_wal_size min_dynamic_shared_memory min_wal_size wal_keep_size",
    "B": "log_parameter_max_length log_parameter_max_length_on_error track_activity_query_size wal_decode_buffer_size",
    "ms": """autovacuum_vacuum_cost_delay bgwriter_delay client_connection_check_interval deadlock_timeout
        idle_in_transaction_session_timeout idle_session_timeout lock_timeout log_autovacuum_min_duration
        log_min_duration_sample log_min_duration_statement log_startup_progress_interval max_standby_archive_delay
        max_standby_streaming_delay recovery_min_apply_delay statement_timeout tcp_user_timeout transaction_timeout
        vacuum_cost_delay wal_receiver_timeout wal_retrieve_retry_interval wal_sender_timeout wal_writer_delay""",
    "s": """archive_timeout authentication_timeout autovacuum_naptime checkpoint_timeout checkpoint_warning
        tcp_keepalives_idle tcp_keepalives_interval wal_receiver_status_interval""",
    "min": "log_rotation_age wal_summary_keep_time",
}
UNIT_OF = {name: unit for unit, names in UNITS.items() for name in names.split()}
MEMORY = {"B": 1, "kB": 1024, "8kB": 8192, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
TIME = {"us": 1, "ms": 1000, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
MEASURE = re.compile(r"(-?\d+(?:\.\d+)?)\s*([a-zA-Z]+)")
RANGE = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?)-(-?[\d.]+(?:e[+-]?\d+)?)")
LOGICAL = {"logical": "1", "replica": "0"}


def postgres_rds_plan(settings: Item, known: Item) -> dict[str, Any]:
    """Hold PostgreSQL's settings against what RDS tells of its parameters.

    `known` is {name: {value, source, apply_type, data_type, allowed, modifiable}}. Returns {immediate, reboot}, each
    {name: value} of what differs, `unlisted`, the names of what was set before and is not listed, `lines` that say it,
    and `problems`, of which each names its variable.
    """
    plan: dict[str, Any] = {"immediate": {}, "reboot": {}, "lines": [], "problems": []}
    wanted: dict[str, str] = {}
    for name, value in settings.items():
        if name == "wal_level":
            wanted["rds.logical_replication"] = LOGICAL.get(str(value), "")
            if not wanted["rds.logical_replication"]:
                plan["problems"].append(f"{_of(name)} is {value}, and RDS has logical and replica. Set one of them")
            continue
        there = known.get(name)
        if there is None:
            plan["problems"].append(f"{_of(name)} is no parameter of RDS for PostgreSQL. Correct the name or remove it")
        elif not there["modifiable"]:
            plan["problems"].append(
                f"{_of(name)} is set by RDS itself and cannot be changed. Remove it{_instead(name)}"
            )
        else:
            wanted[name] = _value(name, value, there["data_type"])
            plan["problems"] += _misfits(name, value, wanted[name], there)
    for name, given in sorted(wanted.items()):
        there = known.get(name, {})
        if given != there.get("value"):
            static = there.get("apply_type") == "static"
            plan["reboot" if static else "immediate"][name] = given
            waits = ", after a restart" if static else ""
            plan["lines"].append(f"{name}: {there.get('value') or 'not set'} -> {given}{waits}")
    plan["unlisted"] = sorted(name for name, each in known.items() if each["source"] == "user" and name not in wanted)
    return plan


def _of(name: str) -> str:
    return f"postgres_server_settings: {name}"


def _instead(name: str) -> str:
    if name.startswith("archive"):
        return "; backups are postgres_server_rds_backup_retention_days"
    return ""


def _value(name: str, value: Any, kind: str) -> str:
    """Write a value as the API takes it: booleans as 1 and 0, sizes and times as numbers of the parameter's unit."""
    if kind == "boolean":
        return "1" if str(value).lower() in ("true", "on", "yes", "1") else "0"
    if isinstance(value, bool):
        return "on" if value else "off"
    measured = MEASURE.fullmatch(str(value).strip())
    unit = UNIT_OF.get(name)
    for scale in (MEMORY, TIME):
        if measured and unit in scale and measured[2] in scale:
            amount = float(measured[1]) * scale[measured[2]] / scale[unit]
            return str(round(amount)) if kind == "integer" else f"{amount:g}"
    return str(value)


def _misfits(name: str, value: Any, given: str, there: Item) -> Iterator[str]:
    allowed = there.get("allowed") or ""
    if not allowed or "{" in given:
        return
    bounds = RANGE.fullmatch(allowed)
    if there["data_type"] in ("integer", "float"):
        number = re.fullmatch(r"-?\d+(\.\d+)?", given)
        fits = number is not None and (bounds is None or float(bounds[1]) <= float(given) <= float(bounds[2]))
    else:
        words = given.split(",") if there["data_type"] == "list" else [given]
        fits = set(words) <= {word.strip() for word in allowed.split(",")}
    if not fits:
        unit = f" {UNIT_OF[name]}" if name in UNIT_OF else ""
        counted = f" ({given}{unit})" if given != str(value) else ""
        yield f"{_of(name)} is {value}{counted}, and RDS takes {allowed}{unit}. Choose another value"


def postgres_rds_wanted(wanted: Item, user: str) -> dict[str, Any]:
    """Say wanted objects as a master user can make them who is no superuser.

    REPLICATION is a membership in rds_replication there, and `own` names the roles that the user must be a member of:
    those that own what it makes.
    """
    changed = {**wanted, "system_roles": ["pg_", "rds"], "roles": []}
    changed["memberships"] = [{**item, "members": list(item["members"])} for item in wanted["memberships"]]
    for item in wanted["roles"]:
        flags = [str(flag).upper() for flag in item.get("flags") or []]
        replicates = [flag for flag in flags if flag in ("REPLICATION", "NOREPLICATION")]
        changed["roles"].append({**item, "flags": [flag for flag in flags if flag not in replicates]})
        if replicates and _present(item):
            state = "present" if replicates == ["REPLICATION"] else "absent"
            _join(changed["memberships"], "rds_replication", state, item["name"])
    present = [
        item
        for kind in ("databases", "schemas", "publications", "heartbeats", "default_privileges")
        for item in wanted[kind]
        if _present(item)
    ]
    owners = [str(item["owner"]) for item in present if item.get("owner")]
    changed["own"] = [name for name in dict.fromkeys(owners) if name != user]
    return changed


def _present(item: Item) -> bool:
    return (item.get("state") or "present") == "present"


def _join(memberships: list[dict[str, Any]], group: str, state: str, member: str) -> None:
    for item in memberships:
        if (item["group"], item.get("state") or "present") == (group, state):
            item["members"] = list(dict.fromkeys([*item["members"], member]))
            return
    memberships.append({"group": group, "members": [member], "state": state})


def postgres_rds_problems(wanted: Item, user: str) -> list[str]:
    """Describe what RDS has no place for, by its variable."""
    found = []
    for item in wanted["roles"]:
        flags = {str(flag).upper() for flag in item.get("flags") or []}
        if "SUPERUSER" in flags:
            found.append(
                f"postgres_server_roles, {item['name']}: RDS gives nobody SUPERUSER. Make it a member of rds_superuser "
                "with postgres_server_memberships"
            )
        if item["name"] == user:
            found.append(
                f"postgres_server_roles: {user} is the master user, whose password is "
                "postgres_server_rds_master_password. Remove it from the list"
            )
    return found


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {
            "postgres_rds_plan": postgres_rds_plan,
            "postgres_rds_problems": postgres_rds_problems,
            "postgres_rds_wanted": postgres_rds_wanted,
        }
