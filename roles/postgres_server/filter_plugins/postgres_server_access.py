"""Rules of pg_hba.conf: what is refused about them, and the lines that they become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

Rule = Mapping[str, Any]
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def postgres_server_hba_refusals(rules: Sequence[Rule], superusers: Iterable[str], plain: bool) -> list[str]:
    """Return what is wrong with rules, a sentence each; `plain` lets connections without TLS in from outside."""
    found = [] if _lets_the_role_in(rules) else [_LOCKED_OUT]
    for rule in rules:
        found += [f"{_name(rule)} {problem}" for problem in _problems(rule, set(superusers), plain)]
    return found


_LOCKED_OUT = (
    "they must let postgres in, through which the role works: the first rule of type local for all databases and the "
    "user postgres must have the method peer"
)


def _lets_the_role_in(rules: Iterable[Rule]) -> bool:
    first = next(
        (
            rule
            for rule in rules
            if rule["type"] == "local" and _listed(rule["database"]) & {"all", "postgres"} and _is(rule, "postgres")
        ),
        None,
    )
    return first is not None and first["method"] == "peer" and "all" in _listed(first["database"])


def _problems(rule: Rule, superusers: set[str], plain: bool) -> Iterator[str]:
    local, outside = rule["type"] == "local", _outside(rule)
    if local == ("address" in rule):
        yield "needs an address when its type is host or hostssl, and only then"
    if rule["method"] == "peer" and not local:
        yield "has the method peer, which only a rule of type local can have"
    if (rule["method"] == "cert" or "clientcert" in rule.get("options", {})) and rule["type"] != "hostssl":
        yield "asks for a client's certificate, for which its type must be hostssl"
    if rule["type"] == "host" and outside and rule["method"] != "reject" and not plain:
        yield (
            f"lets {', '.join(outside)} in without TLS: make its type hostssl, or set "
            "postgres_server_hba_plain_allowed: true"
        )
    named = sorted(_listed(rule["user"]) & superusers)
    if outside and named and rule["method"] != "reject":
        yield (
            f"lets the superuser {', '.join(named)} in from {', '.join(outside)}: a superuser comes from the machine "
            "itself only"
        )


def postgres_server_hba_lines(rules: Sequence[Rule], superusers: Iterable[str]) -> list[str]:
    """Return the lines of pg_hba.conf; one against superusers precedes a rule from outside that means many users."""
    kept_out = ",".join(sorted(set(superusers)))
    lines = []
    for rule in rules:
        options = [f"{name}={value}" for name, value in rule.get("options", {}).items()]
        for address in rule.get("address", [""]):
            if _outside({**rule, "address": [address]}) and _means_many(rule) and rule["method"] != "reject":
                lines.append(_line(rule["type"], rule["database"], kept_out, address, "reject"))
            lines.append(_line(rule["type"], rule["database"], rule["user"], address, rule["method"], *options))
    return lines


def _line(*parts: str) -> str:
    widths = (8, 16, 16, 24, 14)
    return " ".join(part.ljust(width) for part, width in zip(parts, widths, strict=False)).rstrip() + "".join(
        f" {part}" for part in parts[len(widths) :]
    )


def _means_many(rule: Rule) -> bool:
    """Tell whether a rule's users are a keyword, a group or a pattern, and so may contain a superuser."""
    return any(user == "all" or user.startswith(("+", "/", "@")) for user in _listed(rule["user"]))


def _is(rule: Rule, user: str) -> bool:
    return bool(_listed(rule["user"]) & {user, "all"})


def _listed(names: str) -> set[str]:
    return {name.strip().strip('"') for name in names.split(",")}


def _outside(rule: Rule) -> list[str]:
    """Return the addresses of a rule that are not this machine's loopback, keywords and names among them."""
    return [address for address in rule.get("address", []) if address and not _loopback(address)]


def _loopback(address: str) -> bool:
    try:
        wanted = ip_network(address, strict=False)
    except ValueError:
        return False
    return any(
        wanted.version == loop.version and wanted.subnet_of(loop)  # type: ignore[arg-type]
        for loop in LOOPBACK
    )


def _name(rule: Rule) -> str:
    return f"the rule '{rule['type']} {rule['database']} {rule['user']}'"


class FilterModule:
    """Makes the functions known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Name the filters."""
        return {
            "postgres_server_hba_refusals": postgres_server_hba_refusals,
            "postgres_server_hba_lines": postgres_server_hba_lines,
        }
