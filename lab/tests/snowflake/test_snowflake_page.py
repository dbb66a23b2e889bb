"""The page shows what is there to whoever has its link, and nothing else to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hanger_lab.snowflake.server import Server
from snowflake_support import Inside, Key

NASTY = '<script>alert("x")</script>'


@pytest.fixture
def page(inside: Inside) -> Iterator[TestClient]:
    quoted = NASTY.replace('"', '""')
    inside.run(
        "CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 10 TRIGGERS ON 90 PERCENT DO SUSPEND_IMMEDIATE",
        "CREATE WAREHOUSE W RESOURCE_MONITOR = M",
        "CREATE DATABASE RAW",
        "CREATE TABLE RAW.PUBLIC.T AS SELECT 1 AS I",
        "CREATE ROLE LOADER",
        "GRANT ROLE LOADER TO ROLE SYSADMIN",
        f"CREATE ROLE \"{quoted}\" COMMENT = '{NASTY}'",
        f'GRANT ROLE "{quoted}" TO ROLE LOADER',
        "GRANT CREATE SCHEMA ON DATABASE RAW TO ROLE LOADER",
        "CREATE USER BOT TYPE = SERVICE",
        "GRANT ROLE LOADER TO USER BOT",
        "CREATE USER ANN PASSWORD = 'never to be shown'",
        f"SELECT '{NASTY}'",
    )
    inside.refused("SELECT * FROM RAW.PUBLIC.NOSUCH")
    yield TestClient(Server(inside.account).application(), base_url="http://127.0.0.1:8085")


def key(inside: Inside) -> str:
    return (inside.account.directory / "page-key").read_text().strip()


def test_nothing_is_shown_without_the_link(inside: Inside, page: TestClient) -> None:
    for path in ("/", "/?key=", "/?key=wrong", f"/?key={key(inside)[:-1]}"):
        answer = page.get(path)
        assert answer.status_code == 401 and "RAW" not in answer.text
    page.cookies.set("hanger_snowflake_8085", "wrong")
    assert page.get("/").status_code == 401
    assert (inside.account.directory / "page-key").stat().st_mode & 0o777 == 0o600


def test_link_becomes_a_cookie_and_shows_everything(inside: Inside, page: TestClient) -> None:
    entered = page.get(f"/?key={key(inside)}", follow_redirects=False)
    assert entered.status_code == 303 and entered.headers["location"] == "/"
    assert {"httponly", "samesite=lax"} <= {p.strip().lower() for p in entered.headers["set-cookie"].split(";")}
    text = page.get("/").text
    for shown in ("LOADER", "BOT", "started", "90 % suspend immediate", "of 10", "RAW", "1 rows", "002003"):
        assert shown in text, shown
    assert "LOADER: CREATE SCHEMA on RAW" in text and "BOT has role LOADER" in text
    assert key(inside) not in text and "never to be shown" not in text


def test_names_cannot_break_out(inside: Inside, page: TestClient) -> None:
    text = page.get(f"/?key={key(inside)}").text
    assert "<script" not in text and "&lt;script&gt;" in text

    opened: set[str] = set()
    attributes: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            opened.add(tag)
            attributes.update(name for name, _ in attrs)

    Tags().feed(text)
    assert not {"script", "img", "iframe", "form", "object", "embed", "base"} & opened
    assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in attributes)


def test_policy_allows_the_style_sheet_alone_and_nothing_from_elsewhere(inside: Inside, page: TestClient) -> None:
    answers = [page.get(f"/?key={key(inside)}") for _ in range(2)]
    policies = [answer.headers["content-security-policy"] for answer in answers]
    assert policies[0] != policies[1]
    for answer, policy in zip(answers, policies, strict=True):
        nonce = re.search(r"style-src 'nonce-([^']+)'", policy)
        assert nonce and f'<style nonce="{nonce[1]}">' in answer.text
        assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
        assert "http://" not in answer.text.replace("http://www.w3.org", "") and "https://" not in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_only_reads(inside: Inside, page: TestClient) -> None:
    page.get(f"/?key={key(inside)}")
    assert {page.request(method, "/").status_code for method in ("POST", "PUT", "DELETE")} == {405}


def test_key_is_new_at_every_start(inside: Inside, page: TestClient) -> None:
    old = key(inside)
    again = TestClient(Server(inside.account).application())
    assert key(inside) != old
    assert again.get(f"/?key={old}").status_code == 401


def test_large_account_is_cut_and_says_so(tmp_path: Path, key: Key) -> None:
    inside = Inside(tmp_path / "large", key)
    with inside.account.catalog.change():
        for number in range(300):
            inside.account.catalog.create("ROLE", (f"R{number}",), "ACCOUNTADMIN")
            inside.account.catalog.create("USER", (f"U{number}",), "ACCOUNTADMIN")
    client = TestClient(Server(inside.account).application())
    link = (inside.account.directory / "page-key").read_text().strip()
    text = client.get(f"/?key={link}").text
    assert "246 roles, 241 users are not drawn." in text and len(text) < 500_000
    inside.account.close()
