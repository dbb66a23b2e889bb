# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL in every field of every module: it is refused, or it stays inside one identifier or one literal.

The fields come from the argument specs, so that one which is added is covered: where nothing says how an entry with it
looks, the test fails and says so.
"""

from __future__ import annotations

import re

import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.arguments import OBJECTS
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.connection import read_connection
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.desired import read_options
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.errors import SnowflakeError
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.identifiers import parse
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.kinds import IN_ORDER
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.observe import Observed
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.plan import plan
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from snowflake_lab import run_module, running
from snowflake_runner import ModuleFailed, public_pem, rsa_key

CANARY = "CANARY"
ATTACKS = [
    f'x"; DROP DATABASE {CANARY}; --',
    f"x'; DROP DATABASE {CANARY}; --",
    f"x\\'; DROP DATABASE {CANARY}; --",
    f"a\" COMMENT = ''; DROP DATABASE \"{CANARY}",
    f"USAGE ON DATABASE {CANARY} TO ROLE PUBLIC; DROP DATABASE {CANARY}; --",
    f"\n; DROP DATABASE {CANARY}\n",
    f"$$; DROP DATABASE {CANARY}; $$",
    f"/* */ DROP DATABASE {CANARY} //",
]
TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<I>"(?:[^"]|"")*")|(?P<L>'(?:\\.|''|[^'\\])*')|(?P<N>\d+)|(?P<W>[A-Za-z_]\w*)|(?P<X>.)""",
    re.DOTALL,
)
# A number is as harmless as a literal.
FORMS = {"I": "identifier", "L": "literal", "N": "literal"}
KEY = public_pem(rsa_key())
PARTS = {kind.option: kind.parts for kind in IN_ORDER}
# What a field takes that takes no free text.
VALUES = {
    "size": "SMALL",
    "privileges": "SELECT",
    "rsa_public_key": KEY,
    "rsa_public_key_2": KEY,
    "allowed_ip_list": "192.0.2.1",
    "blocked_ip_list": "192.0.2.1",
}
_HOLDERS = ({"role": "R"}, {"database_role": "D.R"})
_PLACES = (
    {"type": "database", "name": "D"},
    {"type": "table", "name": "D.S.T"},
    {"type": "table", "future_in": "D"},
    {"type": "table", "all_in": "D.S"},
)
# Entries of which a name alone is not enough; every field has to fit into one of them.
ENTRIES = {
    "grants": [{**holder, "privileges": ["USAGE"], **place} for holder in _HOLDERS for place in _PLACES],
    "ownership": [{**holder, **place} for holder in _HOLDERS for place in _PLACES],
    "role_memberships": [
        {"role": "R", "users": ["U"]},
        {"role": "R", "roles": ["X"]},
        {"database_role": "D.R", "database_roles": ["D.X"]},
    ],
    "network_rules": [{"name": "D.S.O", "type": "host_port", "mode": "egress", "value_list": ["example.com:443"]}],
    "storage_integrations": [{"name": "O", "provider": "S3", "allowed_locations": ["s3://b/"]}],
    "file_formats": [{"name": "D.S.O", "type": "csv"}],
    "tokens": [{"user": "U", "name": "T", "path": "/nowhere"}],
    "parameters": [{"type": "database", "name": "D", "parameters": {"LOG_LEVEL": "x"}}],
}
NEEDED = {"name": "D", "type": "database", "at": 1, "do": "notify"}


def entries(option):
    """Return entries that every field fits into, one way or another."""
    return ENTRIES.get(option) or [{"name": ".".join("DSO"[: PARTS[option]])}]


def fields(spec, path=()):
    """Yield the path of every field into which text can be written."""
    for name, field in spec.items():
        if "choices" in field or field["type"] in ("int", "bool"):
            continue
        if field.get("elements") == "dict":
            yield from fields(field["options"], (*path, name, 0))
        elif field["type"] == "list":
            yield (*path, name, 0)
        elif field["type"] == "dict":
            yield (*path, name, "key")
            yield (*path, name, "value")
        else:
            yield (*path, name)


def filled(entry, path, text, spec):
    """Return an entry with the text at a path, and what the entries on the way need."""
    if not path:
        return text
    if path[0] == 0:
        return [filled({}, path[1:], text, spec)]
    if path[0] == "key":
        return {text: "1"}
    if path[0] == "value" and not spec:
        return {"LOG_LEVEL": text}
    needed = {name: NEEDED[name] for name, field in spec.items() if field.get("required") and name in NEEDED}
    return {**needed, **entry, path[0]: filled({}, path[1:], text, spec[path[0]].get("options", {}))}


def forms(text):
    """Yield the text as it is, and as a name of one, two and three parts."""
    yield text
    quoted = '"' + text.replace('"', '""') + '"'
    yield from (quoted, f"D.{quoted}", f"D.S.{quoted}", f"{quoted}.S", f"{quoted}.S.T")


def harmless_forms(text):
    """Yield the same with harmless text, which has dots between its parts where the text has and names nothing else."""
    try:
        parts = len(parse(text))
    except ValueError:
        parts = 1
    yield from (".".join(["harmless"] * parts), *list(forms("harmless"))[1:])


FIELDS = [
    (option, path, spec["options"])
    for option, spec in OBJECTS.items()
    if spec["type"] == "list"
    for path in fields(spec["options"])
]
NAMED = [pytest.param(*field, id=".".join(map(str, (field[0], *field[1])))) for field in FIELDS]


class Contents(dict):
    """What containers hold: one object each, so that there is something to grant on."""

    def get(self, key, default=None):
        return frozenset({("D", "S", "O")})


def shapes(option, entry, word=""):
    """Return the forms of the statements that an entry leads to, none where it is refused; `word` may be a key."""
    desired = None
    try:
        desired = read_options({option: [entry]})
    except SnowflakeError:
        return None
    nothing = Observed(objects={kind.word: {} for kind in IN_ORDER}, contents=Contents())
    there = Observed(
        objects={kind.word: {thing.name: {} for thing in desired.of(kind)} for kind in IN_ORDER}, contents=Contents()
    )
    found = []
    for observed in (nothing, there):
        found += [shape(step.statement, word) for step in plan(desired, observed).steps]
    return sorted(found)


def shape(statement, word):
    """Return a statement with the content of its identifiers, literals and numbers, and its privileges, left out."""
    privileges = re.match(r"(GRANT|REVOKE) [A-Z_ ,]+? ON ", statement)
    if privileges:
        statement = privileges.group(1) + " ON " + statement[privileges.end() :]
    return [
        "key"
        if match.group().upper() == word.upper() and match.lastgroup == "W"
        else FORMS.get(match.lastgroup) or match.group().upper()
        for match in TOKEN.finditer(statement)
        if match.lastgroup != "space"
    ]


NASTY = st.text(st.sampled_from("\"'\\;-/*$\n\0.()=%_ aé∅") | st.characters(codec="utf-8"), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running(tmp_path_factory.mktemp("account")) as started:
        yield started


class TestStatements:
    @pytest.mark.parametrize(("option", "path", "spec"), NAMED)
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=NASTY)
    @example(text=ATTACKS[0])
    @example(text=ATTACKS[1])
    @example(text=ATTACKS[2])
    @example(text=ATTACKS[4])
    def test_have_the_form_that_harmless_text_gives_them(self, option, path, spec, text):
        assume(text.upper() not in ("TRUE", "FALSE", "NONE", "AUTO"))  # words of SQL, and values of file formats
        assume(text.strip('"').upper() not in set("DORSTUX"))  # names of the entries, which may not occur twice
        for entry in entries(option):
            for evil, harmless in zip(forms(text), harmless_forms(text), strict=True):
                found = shapes(option, filled(entry, path, evil, spec), evil if path[-1] == "key" else "")
                if found is not None:
                    assert found == shapes(
                        option, filled(entry, path, harmless, spec), harmless if path[-1] == "key" else ""
                    ), evil

    @pytest.mark.parametrize(("option", "path", "spec"), NAMED)
    def test_are_reached_by_harmless_text(self, option, path, spec):
        text = VALUES.get(path[0], "harmless")
        reached = [shapes(option, filled(entry, path, form, spec)) for entry in entries(option) for form in forms(text)]
        assert any(reached), "no entry with this field is accepted: say in ENTRIES how one looks"

    @pytest.mark.parametrize("attack", ATTACKS)
    @pytest.mark.parametrize("field", sorted(VALUES))
    def test_are_none_for_what_is_no_value_of_the_field(self, field, attack):
        option, path, spec = next(item for item in FIELDS if item[1][0] == field)
        assert all(shapes(option, filled(entry, path, attack, spec)) is None for entry in entries(option))


class TestConnection:
    @pytest.mark.parametrize("attack", ATTACKS)
    @pytest.mark.parametrize("option", ["account", "host", "user", "role", "warehouse"])
    def test_a_name_that_is_none_is_refused(self, option, attack):
        given = {"account": "a", "user": "U", "token": "t", "login_timeout": 1, "network_timeout": 1, option: attack}
        with pytest.raises(SnowflakeError, match=f"^{option}: "):
            read_connection(given, environ={})


class TestEmulatedAccount:
    """The same on an account, which takes statements apart by its own rules."""

    @pytest.fixture
    def run(self, lab, capsys):
        def call(name, **options):
            return run_module(capsys, name, **{**lab.login, **options})

        call("snowflake_database", databases=[{"name": name} for name in (CANARY, "D")])
        call("snowflake_account", schemas=[{"name": "D.S"}], roles=[{"name": "R"}])
        return call

    @pytest.mark.parametrize(("option", "path", "spec"), NAMED)
    def test_keeps_what_is_attacked(self, run, option, path, spec):
        harmless = list(forms(VALUES.get(path[0], "harmless")))
        place, entry = next(
            (number, entry)
            for entry in entries(option)
            for number, form in enumerate(harmless)
            if shapes(option, filled(entry, path, form, spec))
        )
        for attack in ATTACKS[:3]:
            try:
                run("snowflake_account", **{option: [filled(entry, path, list(forms(attack))[place], spec)]})
            except ModuleFailed as failed:
                assert "syntax error" not in str(failed)
        names = {row["name"] for row in run("snowflake_query", statements=["SHOW DATABASES"])["rows"]}
        assert CANARY in names
        tables = run("snowflake_query", statements=["SHOW GRANTS TO ROLE PUBLIC"])["rows"]
        assert not [row for row in tables if row["name"] == CANARY]

    @pytest.mark.parametrize(
        "statement",
        [
            f"SELECT 1; DROP DATABASE {CANARY}",
            f"SELECT 1 /* */; DROP DATABASE {CANARY}; --",
            f"(DROP DATABASE {CANARY})",
        ],
    )
    def test_a_second_statement_is_refused(self, run, statement):
        with pytest.raises(ModuleFailed):
            run("snowflake_query", statements=[statement])
        names = {row["name"] for row in run("snowflake_query", statements=["SHOW DATABASES"])["rows"]}
        assert CANARY in names
