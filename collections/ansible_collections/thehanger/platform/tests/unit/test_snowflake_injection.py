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
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.kinds import IN_ORDER
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.observe import Observed
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.plan import plan
from hypothesis import HealthCheck, example, given, settings
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
KEY = public_pem(rsa_key())
KIND_OF = {kind.option: kind for kind in IN_ORDER}
USUAL = {"str": "BENIGN", "int": 1, "bool": True}


def parts(option):
    """Return how many parts the name of an object has."""
    kind = KIND_OF[option]
    return getattr(kind, "parts", len(kind.name_columns))


def entries(option):
    """Return entries that every field of a kind fits into, one way or another."""
    if "future_in" in OBJECTS[option]["options"]:
        base = {"role": "R", "privileges": ["USAGE"]}
        return [
            {**base, "type": "database", "name": "D"},
            {**base, "type": "table", "name": "D.S.T"},
            {**base, "type": "table", "future_in": "D"},
            {**base, "type": "table", "all_in": "D.S"},
        ]
    return [{"name": ".".join("DSO"[: parts(option)])}]


def fields(spec, path=()):
    """Yield the path and the spec of every field into which text can be written."""
    for name, field in spec.items():
        if "choices" in field or field["type"] in ("int", "bool"):
            continue
        if field.get("elements") == "dict":
            yield from fields(field["options"], (*path, name, 0))
        elif field["type"] == "list":
            yield (*path, name, 0), field
        else:
            yield (*path, name), field


def filled(entry, path, text, spec):
    """Return an entry with the text at a path, and what the entries on the way need."""
    if not path:
        return text
    if path[0] == 0:
        return [filled({}, path[1:], text, spec)]
    inner = spec.get(path[0], {})
    needed = {
        name: field["choices"][0] if "choices" in field else USUAL[field["type"]]
        for name, field in spec.items()
        if field.get("required") and field["type"] in USUAL and name not in entry
    }
    return {**needed, **entry, path[0]: filled({}, path[1:], text, inner.get("options", {}))}


def forms(text):
    """Yield the text as it is, and as a name of one, two and three parts."""
    yield text
    quoted = '"' + text.replace('"', '""') + '"'
    yield from (quoted, f"D.{quoted}", f"D.S.{quoted}", f"{quoted}.S", f"{quoted}.S.T")


FIELDS = [(option, path, spec["options"]) for option, spec in OBJECTS.items() for path, _ in fields(spec["options"])]
NAMED = [pytest.param(*field, id=".".join(map(str, (field[0], *field[1])))) for field in FIELDS]


class Contents(dict):
    """What containers hold: one object each, so that there is something to grant on."""

    def get(self, key, default=None):
        return frozenset({("D", "S", "O")})


def shapes(option, entry):
    """Return the forms of the statements that an entry leads to, none where it is refused."""
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
        found += [shape(step.statement) for step in plan(desired, observed).steps]
    return sorted(found)


def shape(statement):
    """Return a statement with the content of its identifiers, literals and numbers, and its privileges, left out."""
    privileges = re.match(r"(GRANT|REVOKE) [A-Z_ ,]+? ON ", statement)
    if privileges:
        statement = privileges.group(1) + " ON " + statement[privileges.end() :]
    return [
        match.group().upper() if match.lastgroup in "WX" else match.lastgroup
        for match in TOKEN.finditer(statement)
        if match.lastgroup != "space"
    ]


NASTY = st.text(st.sampled_from("\"'\\;-/*$\n\0.()=%_ aé∅") | st.characters(codec="utf-8"), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    pytest.importorskip("hanger_lab.snowflake.server")
    with running(tmp_path_factory.mktemp("account")) as started:
        yield started


class TestStatements:
    @pytest.mark.parametrize(("option", "path", "spec"), NAMED)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=NASTY)
    @example(text=ATTACKS[0])
    @example(text=ATTACKS[1])
    @example(text=ATTACKS[2])
    @example(text=ATTACKS[4])
    def test_have_the_form_that_harmless_text_gives_them(self, option, path, spec, text):
        for entry in entries(option):
            for evil, harmless in zip(forms(text), forms("harmless"), strict=True):
                found = shapes(option, filled(entry, path, evil, spec))
                if found is not None:
                    assert found == shapes(option, filled(entry, path, harmless, spec)), evil

    @pytest.mark.parametrize(("option", "path", "spec"), NAMED)
    def test_are_reached_by_harmless_text(self, option, path, spec):
        texts = {"size": "SMALL", "privileges": "SELECT"}.get(path[0], KEY if "rsa" in path[0] else "harmless")
        reached = [
            shapes(option, filled(entry, path, form, spec)) for entry in entries(option) for form in forms(texts)
        ]
        assert any(reached), "no entry with this field is accepted: say in entries() how one looks"

    @pytest.mark.parametrize("attack", ATTACKS)
    @pytest.mark.parametrize("field", ["privileges", "size", "rsa_public_key"])
    def test_are_none_for_what_is_no_value_of_the_field(self, field, attack):
        option = {"privileges": "grants", "size": "warehouses", "rsa_public_key": "users"}[field]
        value = [attack] if field == "privileges" else attack
        assert all(shapes(option, {**entry, field: value}) is None for entry in entries(option))


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
        for attack in ATTACKS[:3]:
            for form in list(forms(attack))[:3]:
                entry = {
                    **entries(option)[0],
                    "name": ".".join(["D", "S", "O"][: len(entries(option)[0]["name"].split("."))]),
                }
                if path[0] == "name" and form == attack:
                    continue
                try:
                    run("snowflake_account", **{option: [filled(entry, path, form, spec)]})
                except ModuleFailed as failed:
                    assert "syntax error" not in str(failed), form
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
