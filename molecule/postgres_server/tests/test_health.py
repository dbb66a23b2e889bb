"""The server can be asked how it is, and tells the journal when it is not well."""

import json

import pytest

CONFIGURATION = "/etc/postgres-health.json"


@pytest.fixture
def root(host):
    with host.sudo():
        yield host


@pytest.fixture
def tight(root):
    """Thresholds that no server keeps."""
    given = root.file(CONFIGURATION).content_string
    changed = {**json.loads(given), "thresholds": {"connections_percent": [0, 100]}}
    root.run(f"cp {CONFIGURATION} /root/health.json")
    root.check_output(f"printf %s '{json.dumps(changed)}' > {CONFIGURATION}")
    yield
    root.run(f"cp /root/health.json {CONFIGURATION}")


def test_every_question_has_an_answer(root):
    answer = json.loads(root.run("postgres-health --json").stdout)
    names = {check["name"] for check in answer["checks"]}
    assert names >= {"up", "connections", "lag", "wraparound", "checksums", "disk", "archive", "backup", "slot"}
    assert "certificate" in names
    assert {check["level"] for check in answer["checks"] if check["name"] in ("up", "checksums", "slot")} == {"ok"}


def test_the_text_has_a_line_for_all_and_one_for_each(root):
    answer = root.run("postgres-health")
    assert answer.stdout.startswith("POSTGRES ")
    assert len(answer.stdout.strip().split("\n")) >= 11


def test_it_needs_no_more_than_the_server_s_own_user(root):
    assert json.loads(root.run("runuser -u postgres -- postgres-health --json").stdout)["checks"][0]["level"] == "ok"


def test_a_server_that_does_not_answer_is_critical(root):
    root.check_output(
        'printf %s \'{"dsn": "dbname=postgres port=1"}\' > /tmp/health.json && chmod 644 /tmp/health.json'
    )
    answer = root.run("postgres-health --configuration /tmp/health.json")
    assert answer.rc == 2
    assert answer.stdout.startswith("POSTGRES CRITICAL: PostgreSQL does not answer")


def test_a_warning_reaches_the_journal_with_its_priority(root, tight):
    assert root.run("systemctl is-active postgres-health.timer").stdout.strip() == "active"
    assert root.run("systemctl start postgres-health.service").rc == 0
    told = root.run("journalctl --unit=postgres-health --priority=warning --output=cat --no-pager").stdout
    assert "connections: " in told
    assert "connections used" in told
