"""A person logs in, sees the server and asks it; others see nothing."""

import json
import os
import re
import socket
from pathlib import Path

import pytest

EMAIL, PASSWORD, DATABASE_PASSWORD = "admin@example.com", "it's only in this scenario", "only-in-this-scenario"
QUERY = "SELECT climbing_grade, ssl AS tls FROM climbinggrades, pg_stat_ssl WHERE pid = pg_backend_pid()"
DATABASE = "/var/lib/pgadmin/pgadmin4.db"


def kept(host, query):
    program = f"import json, sqlite3; print(json.dumps(sqlite3.connect({DATABASE!r}).execute({query!r}).fetchall()))"
    with host.sudo():
        return json.loads(host.check_output("python3 -c %s", program))


def test_a_person_logs_in_sees_the_server_and_asks_it(host, page):
    page.log_in(EMAIL, PASSWORD)
    page.open("The Hanger", 1)
    page.open("thehangerdb", 2)
    page.give_password("wrong")
    assert page.message("password authentication failed")
    page.give_password(DATABASE_PASSWORD)
    page.open("Databases", 3)
    page.open("thehangerdb", 4)
    page.node("Schemas", 5)
    cells = page.query(QUERY)
    assert cells[:3] == ["1", "5.2", "true"]
    if "HANGER_SCREENSHOT" in os.environ:
        page.picture(Path(os.environ["HANGER_SCREENSHOT"]))
    assert kept(host, "SELECT name, password, save_password FROM server") == [["thehangerdb", None, 0]]


def test_a_wrong_password_is_refused(page):
    page.log_in(EMAIL, "wrong")
    assert page.message("Incorrect username or password")


def test_the_server_is_verified_by_its_certificate(host):
    ((parameters,),) = kept(host, "SELECT connection_params FROM server")
    parameters = json.loads(parameters)
    assert parameters["sslmode"] == "verify-full"
    assert parameters["sslrootcert"] == "certificates:/thehangerdb.crt"


def test_no_other_machine_reaches_it(host):
    assert host.socket("tcp://127.0.0.1:5050").is_listening
    address = host.check_output("hostname -I").split()[0]
    with socket.socket() as client:
        client.settimeout(2)
        assert client.connect_ex((address, 5050)) != 0


@pytest.mark.parametrize(
    "command",
    [
        "ps axeww -o args",
        "systemctl cat pgadmin.service",
        "journalctl --no-pager --unit pgadmin.service",
        "cat /etc/pgadmin/config_system.py",
        "cat /var/log/pgadmin/pgadmin4.log",
        "sh -c 'tr -cd [:print:] < /var/lib/pgadmin/pgadmin4.db'",
    ],
)
def test_no_secret_is_to_be_seen(host, command):
    with host.sudo():
        shown = host.check_output(command)
    assert "only in this scenario" not in shown
    assert DATABASE_PASSWORD not in shown


@pytest.mark.parametrize(
    ("path", "readable"),
    [
        ("/etc/pgadmin/config_system.py", True),
        ("/etc/shadow", False),
        ("/var/lib/postgresql/17/main/PG_VERSION", False),
        ("/etc/ssl/private/ssl-cert-snakeoil.key", False),
        ("/home/admin/.ssh/authorized_keys", False),
    ],
)
def test_its_user_reads_its_own_files_only(host, path, readable):
    with host.sudo("pgadmin"):
        assert (host.run("cat %s", path).rc == 0) == readable


def test_its_user_writes_nothing_that_it_runs(host):
    with host.sudo("pgadmin"):
        for path in ("/opt/pgadmin/current/lib", "/opt/pgadmin", "/etc/pgadmin", "/etc/pgadmin/certificates"):
            assert host.run("touch %s/here", path).rc != 0


def test_others_see_nothing_of_it(host):
    for path in ("/var/lib/pgadmin/pgadmin4.db", "/etc/pgadmin/config_system.py", "/var/log/pgadmin/pgadmin4.log"):
        assert host.run("cat %s", path).rc != 0


def test_after_upgrades_that_failed_the_former_release_runs(host):
    lock = Path(__file__).resolve().parents[3].joinpath("roles/pgadmin/files/requirements.txt").read_text()
    version = re.search(r"^pgadmin4==(\S+)", lock, re.MULTILINE)[1]
    release = host.check_output("readlink /opt/pgadmin/current")
    assert release.startswith(f"releases/{version}-")
    assert host.service("pgadmin").is_running
    host.run_expect([0], "test -x /opt/pgadmin/%s/bin/gunicorn", release)
    with host.sudo():
        assert host.check_output("ls /var/lib/pgadmin").split().count("pgadmin4.db.next") == 0


def test_the_installer_did_not_stay(host):
    assert host.run("ls /opt/pgadmin/current/bin/uv /opt/pgadmin/current/bin/pip").rc != 0
