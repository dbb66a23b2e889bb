"""The account alone: by its command, by its pytest fixture."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import snowflake.connector
from hanger_lab.snowflake.testing import RunningAccount, running_account

pytest_plugins = ["pytester"]
Start = Callable[..., "Started"]


class Started:
    def __init__(self, *options: str, where: Path) -> None:
        command = [sys.executable, "-m", "hanger_lab.cli", "snowflake", "--port", "0", *options]
        self.process = subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.text = ""
        for line in self.process.stdout:
            self.text += line
            if line.startswith("Stop it"):
                break

    def said(self, name: str) -> str:
        found = re.search(rf"^{name} +(\S+)", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Started] = []

    def run(*options: str) -> Started:
        made.append(Started(*options, where=tmp_path))
        return made[-1]

    yield run
    for started in made:
        if started.process.poll() is None:
            started.stop()


def snippet(started: Started) -> snowflake.connector.SnowflakeConnection:
    """Run the printed example as it stands."""
    code = started.text[started.text.index("import snowflake") : started.text.index("Stop it")]
    names: dict[str, snowflake.connector.SnowflakeConnection] = {}
    exec(code, names)
    return names["connection"]


def test_command_says_how_to_use_it_and_keeps_the_account(start: Start, tmp_path: Path) -> None:
    started = start("--directory", "kept", "--account", "mine")
    assert (started.said("account"), started.said("user")) == ("MINE", "HANGER_PROVISIONER")
    with snippet(started) as connection:
        connection.cursor().execute("CREATE DATABASE KEPT")
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(started.said("page")) as shown:
        assert b"MINE" in shown.read()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(started.said("address"))
    assert caught.value.code == 401
    assert Path(started.said("key")).stat().st_mode & 0o777 == 0o600
    assert started.stop() in (0, 130, -signal.SIGINT)
    again = start("--directory", "kept", "--account", "mine")
    with snippet(again) as connection:
        assert len(connection.cursor().execute("SHOW DATABASES LIKE 'KEPT'").fetchall()) == 1


def test_without_a_directory_nothing_is_left(start: Start, tmp_path: Path) -> None:
    started = start()
    key = Path(started.said("key"))
    assert key.exists()
    snippet(started).close()
    started.stop()
    assert not key.exists() and not list(tmp_path.iterdir())


def test_fixture_is_known_to_pytest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(snowflake_lab):
            with snowflake_lab.connect() as connection:
                connection.cursor().execute("CREATE DATABASE RAW")

        def test_other(snowflake_lab):
            with snowflake_lab.connect(role="PUBLIC") as connection:
                assert connection.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == ("PUBLIC",)
                assert len(connection.cursor().execute("SHOW DATABASES LIKE 'RAW'").fetchall()) == 1
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_two_accounts_in_one_process_are_strangers(tmp_path: Path) -> None:
    def databases(running: RunningAccount) -> list[str]:
        with running.connect() as connection:
            return [row[1] for row in connection.cursor().execute("SHOW DATABASES").fetchall()]

    with running_account(tmp_path / "one") as one, running_account(tmp_path / "two", "TWO") as two:
        with one.connect() as connection:
            connection.cursor().execute("CREATE DATABASE ONLY_HERE")
        assert set(databases(one)) - set(databases(two)) == {"ONLY_HERE"}
