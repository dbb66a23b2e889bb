"""What postgres_server makes of a machine's size, of access rules, keys and certificates."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/postgres_server/filter_plugins"))
from postgres_server_access import postgres_server_hba_lines, postgres_server_hba_refusals
from postgres_server_trust import (
    postgres_server_alternative_names,
    postgres_server_certificate_due,
    postgres_server_key_fingerprints,
)
from postgres_server_tuning import DISKS, WORKLOADS, postgres_server_tuning

PEER = {"type": "local", "database": "all", "user": "postgres", "method": "peer"}
# Made for this test; its fingerprint is the one that gpg --show-keys tells.
KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawvTBxYJKwYBBAHaRw8BAQdA6PG5AxtGUJiHdMBfAxd4gSfeI5XOfOFcjVA2
phcdm8W0HVN0YW5kLWluIDxub2JvZHlAZXhhbXBsZS5jb20+iJAEExYIADgWIQQi
xNgTNMAGGKv+yuHlPOHR1m3O7gUCawvTBwIbAwULCQgHAgYVCgkICwIEFgIDAQIe
AQIXgAAKCRDlPOHR1m3O7jNBAQD5KXvHNblngjbE+O/cYRqyCyxun72m6LjqEL+6
LWGu3gD/anfl8NG6CTJYpF2mHmz4PlARdYcQitS9gOfjzH2dYgg=
=5Ds2
-----END PGP PUBLIC KEY BLOCK-----
"""
FINGERPRINT = "22C4D81334C00618ABFECAE1E53CE1D1D66DCEEE"


def machine(memory_mb=4096, cores=2, disk="ssd", disk_mb=102400):
    return {"memory_mb": memory_mb, "cores": cores, "disk": disk, "disk_mb": disk_mb}


def in_kb(size):
    return int(size[:-2]) * {"kB": 1, "MB": 1024}[size[-2:]]


def rule(**changes):
    return {"type": "hostssl", "database": "gym", "user": "reader", "method": "scram-sha-256", **changes}


def test_memory_is_shared_out_as_the_rules_say():
    tuned = postgres_server_tuning(machine(memory_mb=16384, cores=4), "oltp")
    assert (tuned["shared_buffers"], tuned["effective_cache_size"]) == ("4096MB", "12288MB")
    assert (tuned["maintenance_work_mem"], tuned["wal_buffers"]) == ("1024MB", "16384kB")
    assert tuned["work_mem"] == f"{(16384 - 4096) * 1024 // ((300 + 8) * 3)}kB"
    assert (tuned["max_parallel_workers"], tuned["max_parallel_workers_per_gather"]) == (4, 2)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("memory_mb", [256, 1024, 8192, 262144])
@pytest.mark.parametrize("disk_mb", [400, 20480, 4194304])
def test_no_machine_is_promised_more_than_it_has(workload, memory_mb, disk_mb):
    tuned = postgres_server_tuning(machine(memory_mb=memory_mb, disk_mb=disk_mb), workload)
    sessions = in_kb(tuned["work_mem"]) * tuned["max_connections"]
    assert in_kb(tuned["shared_buffers"]) + sessions <= memory_mb * 1024
    assert in_kb(tuned["min_wal_size"]) <= in_kb(tuned["max_wal_size"]) <= max(disk_mb * 1024 // 8, 64 * 1024)
    assert in_kb(tuned["min_wal_size"]) >= 32 * 1024


def test_the_disk_decides_what_a_random_page_costs():
    costs = {disk: postgres_server_tuning(machine(disk=disk), "web")["random_page_cost"] for disk in DISKS}
    assert costs == {"hdd": 4, "ssd": 1.1, "ebs": 1.1}


def test_chosen_connections_divide_the_memory():
    few = postgres_server_tuning(machine(), "oltp", {"max_connections": 50})
    assert few["max_connections"] == 50
    assert in_kb(few["work_mem"]) > in_kb(postgres_server_tuning(machine(), "oltp")["work_mem"])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (rule(address=["10.0.0.0/8"], type="host"), "without TLS"),
        (rule(address=["samenet"], type="host"), "without TLS"),
        (rule(address=["0.0.0.0/0"], user="postgres"), "lets the superuser postgres in"),
        (rule(address=["10.0.0.1/32"], user="reader,dba"), "lets the superuser dba in"),
        (rule(), "needs an address"),
        (rule(type="local", address=["127.0.0.1/32"]), "needs an address"),
        (rule(address=["10.0.0.1/32"], method="peer"), "only a rule of type local"),
        (rule(address=["127.0.0.1/32"], type="host", method="cert"), "its type must be hostssl"),
        (rule(address=["::1/128"], type="host", options={"clientcert": "verify-full"}), "its type must be hostssl"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(wrong, reason):
    (found,) = postgres_server_hba_refusals([PEER, wrong], ["postgres", "dba"], plain=False)
    assert reason in found


@pytest.mark.parametrize(
    "right",
    [
        rule(address=["10.0.0.0/8"]),
        rule(address=["127.0.0.1/32", "::1/128"], type="host"),
        rule(address=["127.0.0.0/8"], user="postgres"),
        rule(address=["0.0.0.0/0"], type="host", user="postgres", method="reject"),
        rule(address=["10.0.0.7/32"], method="cert", options={"map": "gym"}),
    ],
)
def test_a_right_rule_is_not_refused(right):
    assert postgres_server_hba_refusals([PEER, right], ["postgres"], plain=False) == []


def test_plain_connections_can_be_allowed():
    plain = rule(address=["10.0.0.0/8"], type="host")
    assert postgres_server_hba_refusals([PEER, plain], ["postgres"], plain=True) == []


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(type="local", database="all", user="all")],
        [rule(type="local", database="all", user="all", method="reject"), PEER],
        [{**PEER, "database": "gym"}, rule(type="local", database="all", user="all")],
    ],
)
def test_rules_that_lock_the_role_out_are_refused(rules):
    assert any("must let postgres in" in found for found in postgres_server_hba_refusals(rules, ["postgres"], False))


def test_superusers_are_kept_out_before_everybody_comes_in():
    rules = [PEER, rule(user="all", address=["127.0.0.1/32", "10.0.0.0/8"], options={"clientcert": "verify-ca"})]
    lines = [line.split() for line in postgres_server_hba_lines(rules, ["postgres", "dba"])]
    assert lines == [
        ["local", "all", "postgres", "peer"],
        ["hostssl", "gym", "all", "127.0.0.1/32", "scram-sha-256", "clientcert=verify-ca"],
        ["hostssl", "gym", "dba,postgres", "10.0.0.0/8", "reject"],
        ["hostssl", "gym", "all", "10.0.0.0/8", "scram-sha-256", "clientcert=verify-ca"],
    ]


def test_the_fingerprint_of_a_key_is_gpgs():
    assert postgres_server_key_fingerprints(KEY) == [FINGERPRINT]
    assert postgres_server_key_fingerprints(KEY + KEY) == [FINGERPRINT] * 2
    assert postgres_server_key_fingerprints("<html>Not found</html>") == []


def test_names_and_addresses_are_told_apart():
    names = ["db.gym.example", "10.0.0.7", "::1", "", "db.gym.example"]
    assert postgres_server_alternative_names(names) == ["DNS:db.gym.example", "IP:10.0.0.7", "IP:::1"]


def certificate(**changes):
    ends = (datetime.now(UTC) + timedelta(days=100)).strftime("%Y%m%d%H%M%SZ")
    names = ["DNS:db.gym.example", "IP:0:0:0:0:0:0:0:1"]
    return {"authority_key_identifier": "aa", "not_after": ends, "subject_alt_name": names, **changes}


@pytest.mark.parametrize(
    ("held", "days", "reason"),
    [
        (certificate(), 30, ""),
        ({}, 30, "there is none"),
        (certificate(authority_key_identifier="bb"), 30, "another authority issued it"),
        (certificate(), 101, "it ends at"),
        (certificate(not_after="20200101000000Z"), 0, "it ends at 20200101000000Z"),
        (certificate(subject_alt_name=["DNS:db.gym.example"]), 30, "it lacks IP:::1"),
    ],
)
def test_a_certificate_is_issued_when_it_does_not_hold(held, days, reason):
    authority = {"subject_key_identifier": "aa"}
    found = postgres_server_certificate_due(held, authority, ["DNS:db.gym.example", "IP:::1"], days)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)
