"""The instance as the API tells it, and the database as its clients see it."""

import json
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[3]
ENDPOINT = "molecule-rds.aaaaaaaaaa.eu-west-1.rds.amazonaws.com"
PASSWORD = "another, only here"
CLIENT = {"host": ENDPOINT, "user": "extraction", "sslmode": "verify-full"}
AUTHORITIES = "/etc/ssl/postgres_server_rds.pem"


@pytest.fixture(scope="module")
def rds(lab):
    facts = lab["ec2"]
    return boto3.client(
        "rds",
        endpoint_url=facts["endpoint_url"],
        region_name=facts["region"],
        aws_access_key_id=facts["access_key"],
        aws_secret_access_key=facts["secret_key"],
    )


@pytest.fixture(scope="module")
def instance(rds):
    (found,) = rds.describe_db_instances(DBInstanceIdentifier="molecule-rds")["DBInstances"]
    return found


@pytest.fixture
def ask(psql):
    def answer(query, password=PASSWORD, **connection):
        return psql(query, password, **{**CLIENT, "sslrootcert": AUTHORITIES, "dbname": "gym", **connection})

    return answer


def test_the_instance_is_encrypted_private_and_protected(instance):
    assert instance["StorageEncrypted"]
    assert not instance["PubliclyAccessible"]
    assert instance["DeletionProtection"]
    assert (instance["StorageType"], instance["MaxAllocatedStorage"]) == ("gp3", 100)
    assert instance["BackupRetentionPeriod"] == 7
    assert set(instance["EnabledCloudwatchLogsExports"]) == {"postgresql", "upgrade"}
    zones = {subnet["SubnetAvailabilityZone"]["Name"] for subnet in instance["DBSubnetGroup"]["Subnets"]}
    assert zones == {"eu-west-1a", "eu-west-1b"}
    assert {tag["Key"]: tag["Value"] for tag in instance["TagList"]}["Project"] == "molecule-rds"


def test_the_changed_class_and_settings_are_in_force(rds, instance):
    assert instance["DBInstanceClass"] == "db.t4g.medium"
    assert [group["ParameterApplyStatus"] for group in instance["DBParameterGroups"]] == ["in-sync"]
    listed = rds.describe_db_parameters(DBParameterGroupName="molecule-rds-postgres17", Source="user")["Parameters"]
    values = {each["ParameterName"]: each["ParameterValue"] for each in listed}
    assert values["max_connections"] == "150"
    assert values["max_slot_wal_keep_size"] == "4096"
    assert values["work_mem"] == "8192"
    assert values["rds.logical_replication"] == "1"
    assert values["rds.accepted_password_auth_method"] == "scram"
    assert values["shared_preload_libraries"] == "pg_stat_statements,pgaudit"
    assert values["log_connections"] == "1"
    assert "log_directory" not in values


def test_the_extraction_user_reads_the_loaded_rows_over_tls_and_writes_nothing(ask):
    assert ask("SELECT count(*) FROM members").stdout == "50\n"
    assert "TLS" in ask("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").stdout
    assert "permission denied" in ask("DELETE FROM members").stderr
    assert "permission denied" in ask("CREATE TABLE mine (id int)").stderr


def test_nobody_gets_in_with_the_former_password_or_without_tls(ask):
    assert "password authentication failed" in ask("SELECT 1", password="it's only here").stderr
    assert "no encryption" in ask("SELECT 1", sslmode="disable").stderr


def test_the_master_user_is_no_superuser_and_others_own_what_it_made(as_postgres):
    assert as_postgres("SELECT rolsuper FROM pg_roles WHERE rolname = 'gym_admin'") == "f"
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'gym'"
    assert as_postgres(owner) == "gym"
    assert as_postgres("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'walls'", "gym") == "gym"
    assert as_postgres("SELECT extname FROM pg_extension WHERE extname = 'pgcrypto'", "gym") == "pgcrypto"


def test_replication_is_a_membership(as_postgres):
    members = "SELECT pg_has_role('{}', 'rds_replication', 'MEMBER')"
    assert as_postgres(members.format("extraction")) == "t"
    assert as_postgres(members.format("analyst")) == "f"


def test_changes_are_captured(ask, as_postgres):
    assert as_postgres("SELECT schemaname || '.' || tablename FROM pg_publication_tables", "gym") == "cdc.heartbeat"
    slot = "SELECT database, plugin FROM pg_replication_slots WHERE slot_name = 'airbyte'"
    assert as_postgres(slot) == "gym|pgoutput"
    assert ask("UPDATE cdc.heartbeat SET beat_at = now()").stdout == "UPDATE 1\n"


def test_the_password_of_a_role_is_stored_as_scram(as_postgres):
    stored = as_postgres("SELECT rolpassword FROM pg_authid WHERE rolname = 'extraction'")
    assert stored.startswith("SCRAM-SHA-256$")


def test_the_tables_are_the_owners_and_the_password_is_gone(host, as_postgres):
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'sqitch')"
    assert as_postgres(owners, "gym") == "gym"
    with host.sudo():
        assert host.run("grep -rl 'master[:]only' /run /etc /root /tmp /var/log").stdout == ""


def test_the_policy_allows_every_call(lab):
    policies = [json.loads((ROOT / f"docs/{name}.json").read_text()) for name in ("aws-policy", "aws-policy-rds")]
    allowed = {action for policy in policies for each in policy["Statement"] for action in _list(each["Action"])}
    called = (Path(lab["directory"]) / "ec2/calls.log").read_text().split()
    # Snapshots are looked at and removed by the scenario alone.
    own = {"rds:DescribeDBSnapshots", "rds:DeleteDBSnapshot"}
    assert {action for action in called if action.startswith("rds:")} - own <= allowed


def _list(value):
    return value if isinstance(value, list) else [value]
