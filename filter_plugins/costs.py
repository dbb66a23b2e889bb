"""Filters that say what the machines cost: pure functions over the price table in data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from tabulate import tabulate

# AWS's own month: 365 days of 24 hours, divided by 12.
HOURS = 730
# What a gp3 volume has without further charge.
FREE_IOPS, FREE_THROUGHPUT = 3000, 125

Entry = Mapping[str, Any]


def standing(found: Entry, wanted: Sequence[Entry], resize: bool = False) -> list[dict[str, Any]]:
    """List what stands after a run: the wanted instances, and everything else that carries the project's tag.

    `found` is what `ec2_project_info` returns. An instance that exists counts as it is, with `resize` as it is wanted.
    """
    live = [entry for entry in found.get("instances", []) if entry["state"] != "shutting-down"]
    existing = {str(entry["name"] or entry["id"]): entry for entry in live}
    elastic = {entry["instance_id"] for entry in found.get("addresses", []) if entry["instance_id"]}
    entries = []
    for item in wanted:
        known = existing.get(item["name"])
        addresses = ["Elastic IP address" if item.get("elastic_ip") else "public IPv4 address"]
        if known is None:
            described = [item.get("root_volume", {}), *item.get("volumes", [])]
            entries.append({"name": item["name"], "type": item["type"], "volumes": described, "addresses": addresses})
            continue
        volumes: Sequence[Entry] = _volumes_of(found, str(known["id"]))
        volumes = _resized(known, volumes, item) if resize else [*volumes, *_added(volumes, item)]
        size = item["type"] if resize else known["type"]
        entries.append({"name": item["name"], "type": size, "volumes": volumes, "addresses": addresses})
    described_names = {item["name"] for item in wanted}
    for name, known in existing.items():
        if name not in described_names:
            entries.append(_left(known, _volumes_of(found, str(known["id"])), known["id"] in elastic))
    alive = {str(entry["id"]) for entry in existing.values()}
    loose = [volume for volume in found.get("volumes", []) if volume["instance_id"] not in alive]
    idle = [entry["public_ip"] for entry in found.get("addresses", []) if not entry["instance_id"]]
    if loose or idle:
        addresses = [f"Elastic IP address {address}, idle" for address in idle]
        entries.append({"name": "(no instance)", "volumes": loose, "addresses": addresses})
    return entries


def _volumes_of(found: Entry, instance_id: str) -> list[Entry]:
    return [volume for volume in found.get("volumes", []) if volume["instance_id"] == instance_id]


def _added(volumes: Sequence[Entry], item: Entry) -> list[Entry]:
    there = {volume.get("device") for volume in volumes}
    return [volume for volume in item.get("volumes", []) if volume.get("device") not in there]


def _resized(known: Entry, volumes: Sequence[Entry], item: Entry) -> list[dict[str, Any]]:
    wanted = {str(volume.get("device")): volume for volume in item.get("volumes", [])}
    wanted[str(known.get("root_device"))] = item.get("root_volume", {})
    resized = [{**volume, **_given(wanted.pop(str(volume.get("device")), {}))} for volume in volumes]
    return [*resized, *(dict(volume) for device, volume in wanted.items() if volume.get("size"))]


def _given(volume: Entry) -> dict[str, Any]:
    return {name: value for name, value in volume.items() if value}


def _left(known: Entry, volumes: Sequence[Entry], elastic: bool) -> dict[str, Any]:
    """Describe an instance that nobody asks for any more; a stopped one pays for its disks and an Elastic IP only."""
    entry: dict[str, Any] = {"name": known["name"] or known["id"], "volumes": volumes, "addresses": []}
    if known["state"] not in ("stopped", "stopping"):
        entry["type"] = known["type"]
    if elastic:
        entry["addresses"] = ["Elastic IP address"]
    elif known["public_ip"]:
        entry["addresses"] = ["public IPv4 address"]
    return entry


def monthly_cost(instances: Iterable[Entry], prices: Entry, region: str) -> dict[str, Any]:
    """Price instances ({name, type, volumes, addresses}): {rows, usd_per_hour, total_usd}.

    A row is {resource, what, usd_per_hour, usd_per_month}. Raises AnsibleFilterError with the name of the variable
    where the table has no price.
    """
    rows = []
    for item in instances:
        name = str(item["name"])
        if item.get("type"):
            hourly = _price(prices, region, "instances", str(item["type"]), "USD for an hour, Linux, on demand")
            rows.append(_row(name, str(item["type"]), hourly))
        rows += [_volume(prices, region, name, volume) for volume in item.get("volumes", [])]
        for address in item.get("addresses", []):
            rows.append(_row(name, str(address), _price(prices, region, "public_ipv4_hour", "", "USD for an hour")))
    monthly = round(sum(row["usd_per_month"] for row in rows), 2)
    return {"rows": rows, "usd_per_hour": round(sum(row["usd_per_hour"] for row in rows), 4), "total_usd": monthly}


def _volume(prices: Entry, region: str, name: str, volume: Entry) -> dict[str, Any]:
    kind = str(volume.get("type") or "gp3")
    size = int(volume.get("size") or 0)
    monthly = size * _price(prices, region, kind, "gib_month", "USD for a GiB and month")
    what = f"volume {kind}, {size} GiB"
    if kind == "gp3":
        iops = max(int(volume.get("iops") or 0), FREE_IOPS)
        throughput = max(int(volume.get("throughput") or 0), FREE_THROUGHPUT)
        if iops > FREE_IOPS:
            unit = _price(prices, region, kind, "iops_month", "USD for an operation/s and month above 3000")
            monthly += (iops - FREE_IOPS) * unit
            what += f", {iops} IOPS"
        if throughput > FREE_THROUGHPUT:
            unit = _price(prices, region, kind, "throughput_month", "USD for a MiB/s and month above 125")
            monthly += (throughput - FREE_THROUGHPUT) * unit
            what += f", {throughput} MiB/s"
    return _row(name, what, monthly / HOURS)


def _row(resource: str, what: str, hourly: float) -> dict[str, Any]:
    return {
        "resource": resource,
        "what": what,
        "usd_per_hour": round(hourly, 5),
        "usd_per_month": round(hourly * HOURS, 2),
    }


def _price(prices: Entry, region: str, group: str, item: str, unit: str) -> float:
    value = prices.get(region, {}).get(group)
    if item:
        value = value.get(item) if isinstance(value, Mapping) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    inner = f"{group}: {{{item}: <{unit}>}}" if item else f"{group}: <{unit}>"
    raise AnsibleFilterError(
        f"There is no price of {f'{group} {item}' if item else group} in {region}. "
        f"Add it to the variable ec2_launch_prices: {{{region}: {{{inner}}}}}, as in AWS's price list."
    )


def cost_table(cost: Entry) -> str:
    """Lay out what `monthly_cost` returns, with the total as the last line."""
    rows = [
        [row["resource"], row["what"], f"{row['usd_per_hour']:.4f}", f"{row['usd_per_month']:.2f}"]
        for row in cost["rows"]
    ]
    total = ["total", "", f"{cost['usd_per_hour']:.4f}", f"{cost['total_usd']:.2f}"]
    return tabulate(
        [*rows, total],
        headers=["Resource", "What", "USD/hour", "USD/month"],
        disable_numparse=True,
        colalign=("left", "left", "right", "right"),
    )


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {"cost_table": cost_table, "monthly_cost": monthly_cost, "standing": standing}
