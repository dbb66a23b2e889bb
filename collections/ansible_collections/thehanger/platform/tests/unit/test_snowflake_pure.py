# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of the Snowflake modules without anybody to talk to: names, keys, options, plans."""

from __future__ import annotations

import pytest
from ansible_collections.thehanger.platform.plugins.module_utils.addresses import is_private
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake import grants, values
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.client import keyword
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.desired import read_options
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.errors import InvalidInputError
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.identifiers import (
    literal,
    parse,
    parse_observed,
    quote,
    show,
)
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.keys import fingerprint, public_key_body
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.observe import Observed, observe
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.plan import plan
from hypothesis import given
from hypothesis import strategies as st
from snowflake_runner import curve_key, private_pem, public_pem, rsa_key

PARTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map(tuple)


class TestIdentifiers:
    @given(NAMES)
    def test_a_quoted_name_survives_the_round_trip(self, name):
        assert parse(quote(name)) == name

    @given(NAMES)
    def test_a_shown_name_survives_the_round_trip(self, name):
        assert parse(show(name)) == name

    @given(NAMES)
    def test_a_name_in_show_output_survives_the_round_trip(self, name):
        assert parse_observed(quote(name)) == name
        assert parse_observed(show(name)) == name

    @given(st.text(max_size=60))
    def test_any_text_is_a_name_or_an_error(self, text):
        try:
            name = parse(text)
        except ValueError:
            return
        assert all(name)
        assert parse(quote(name)) == name

    @given(NAMES)
    def test_no_name_ends_its_quotes(self, name):
        assert all(part.count('"') % 2 == 0 for part in (quote((part,))[1:-1] for part in name))

    @given(st.text(max_size=60))
    def test_no_literal_ends_its_quotes(self, text):
        inner = literal(text)[1:-1]
        assert inner.replace("''", "").replace("\\\\", "").find("'") == -1
        assert inner.replace("''", "'").replace("\\\\", "\\") == text

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("raw", ("RAW",)),
            ("raw.TheHangerDB", ("RAW", "THEHANGERDB")),
            ('"raw"."my.table"', ("raw", "my.table")),
            ('a$1."say ""hi"""', ("A$1", 'say "hi"')),
        ],
    )
    def test_folds_what_is_not_quoted(self, text, name):
        assert parse(text) == name

    @pytest.mark.parametrize(
        "text", ["", ".", "a.", ".a", "1a", "a b", "a-b", '""', '"a', 'a"b"', "a;DROP", "'a'", "ä", "a\n", "x" * 256]
    )
    def test_refuses_what_is_no_name(self, text):
        with pytest.raises(ValueError, match="name"):
            parse(text)


class TestKeys:
    def test_pem_and_base64_are_the_same_key(self):
        pem = public_pem(rsa_key())
        body = "".join(pem.split("\n")[1:-2])
        assert public_key_body(pem) == public_key_body(body) == public_key_body(f"  {body[:40]}\n{body[40:]} ") == body
        assert fingerprint(body).startswith("SHA256:")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (lambda: private_pem(rsa_key()).decode(), "private key"),
            (lambda: "ssh-rsa AAAAB3NzaC1yc2E gym", "SSH key"),
            (lambda: public_pem(curve_key()), "not an RSA"),
            (lambda: public_pem(rsa_key(1024)), "too short"),
            (lambda: "MIIB", "not an RSA|neither"),
            (lambda: "not a key!", "neither"),
            (lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "CERTIFICATE"),
        ],
    )
    def test_says_what_is_wrong(self, text, reason):
        with pytest.raises(ValueError, match=reason):
            public_key_body(text())


class TestValues:
    @pytest.mark.parametrize(
        ("given", "size"),
        [
            ("X-Small", "XSMALL"),
            ("xsmall", "XSMALL"),
            ("2X-Large", "XXLARGE"),
            ("X3LARGE", "XXXLARGE"),
            ("4X-Large", "X4LARGE"),
            ("X6LARGE", "X6LARGE"),
        ],
    )
    def test_sizes_have_one_form(self, given, size):
        assert values.warehouse_size(given) == size

    def test_an_unknown_size_is_refused_but_can_be_observed(self):
        with pytest.raises(ValueError, match="XSMALL, SMALL"):
            values.warehouse_size("HUGE")
        assert values.observed_size("7X-Large") == "7X-Large"

    @pytest.mark.parametrize("shown", [None, "", "null"])
    def test_nothing_is_nothing_however_it_is_shown(self, shown):
        assert values.observed_reference(shown) is None
        assert values.whole(shown) == 0
        assert values.user_type(shown) == "PERSON"

    @pytest.mark.parametrize(
        ("type_", "word"), [("table", "TABLES"), ("materialized_view", "MATERIALIZED VIEWS"), ("schema", "SCHEMAS")]
    )
    def test_plurals(self, type_, word):
        assert grants.plural(type_) == word


def grant(**options):
    return {"role": "R", "privileges": ["USAGE"], "type": "schema", **options}


def owner(**options):
    return {"role": "R", "type": "schema", **options}


def tagged(**options):
    return {"type": "warehouse", "name": "W", "value": "x", **options}


def answering(rows):
    """Read out of a table of statements and their rows."""
    return lambda statements: [rows[sql] for sql in statements]


def monitor(**options):
    return {"resource_monitors": [{"name": "M", **options}]}


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"warehouses": [{"name": "a b"}]}, r"warehouses\[0\]\.name: 'a b' is not a name"),
            ({"warehouses": [{"name": "W", "size": "BIG"}]}, r"warehouses\[0\]\.size: 'BIG' is not a size"),
            (monitor(credit_quota=0), r"resource_monitors\[0\]\.credit_quota: a quota is at least 1 credit"),
            (monitor(triggers=[]), r"triggers: Snowflake cannot take the last trigger"),
            (monitor(triggers=[{"at": 0, "do": "notify"}]), "a threshold is at least 1 percent"),
            (
                monitor(triggers=[{"at": at, "do": "suspend"} for at in (90, 100)]),
                r"at most 1 trigger\(s\) that suspend",
            ),
            (
                {**monitor(state="absent"), "warehouses": [{"name": "W", "resource_monitor": "m"}]},
                r"warehouses\[0\]\.resource_monitor: resource monitor M is absent by resource_monitors\[0\]",
            ),
            ({"schemas": [{"name": "RAW"}]}, r"schemas\[0\]\.name: 'RAW' has 1 part\(s\); expected DATABASE\.NAME"),
            ({"schemas": [{"name": "RAW.INFORMATION_SCHEMA"}]}, "belongs to Snowflake"),
            ({"databases": [{"name": "raw"}, {"name": "RAW"}]}, r"databases\[1\]\.name: RAW is described already by"),
            ({"roles": [{"name": "SYSADMIN", "state": "absent"}]}, r"roles\[0\]\.state: role SYSADMIN belongs"),
            ({"roles": [{"name": "A", "granted_to": ["B", "a"]}]}, r"roles\[0\]\.granted_to\[1\]: role A cannot"),
            ({"users": [{"name": "U", "rsa_public_key": "x"}]}, r"users\[0\]\.rsa_public_key: the key is neither"),
            ({"users": [{"name": "U", "default_role": "a b"}]}, r"users\[0\]\.default_role: 'a b' is not a name"),
            ({"grants": [grant()]}, r"grants\[0\]: exactly one of .*; given: none"),
            ({"grants": [grant(name="A.B", future_in="A")]}, r"given: name and future_in"),
            ({"grants": [grant(name="A")]}, r"grants\[0\]\.name: 'A' has 1 part"),
            ({"grants": [grant(future_in="A.B")]}, r"grants\[0\]\.future_in: 'A.B' has 2 part\(s\); expected NAME"),
            ({"grants": [grant(type="warehouse", future_in="A")]}, "stands in no database"),
            ({"grants": [grant(type="account", name="A")]}, "there is only one account"),
            ({"grants": [grant(type="function", name="A.B.F")]}, "use future_in"),
            ({"grants": [grant(name="A.B", privileges=["ALL"])]}, r"grants\[0\]\.privileges\[0\]: ALL cannot"),
            ({"grants": [grant(name="A.B", privileges=["USAGE; DROP"])]}, "is not a privilege"),
            ({"grants": [grant(name="A.B", privileges=[])]}, "at least one privilege"),
            ({"grants": [grant(name="A.B", privileges=["OWNERSHIP"])]}, "is transferred by an entry of ownership"),
            ({"ownership": [owner(name="A.B"), owner(role="S", name="a.b")]}, "has one owner; see ownership"),
            ({"ownership": [owner(type="account")]}, "an account has no owner"),
            ({"grants": [grant(database_role="A.R", name="A.B")]}, "given: role and database_role"),
            (
                {"grants": [grant(role=None, database_role="A.R", name="B.C")]},
                "A.R holds privileges in its own database only",
            ),
            ({"grants": [grant(name="A.B", grant_option=True, state="absent")]}, r"\.grant_option: it is for"),
            (
                {"grants": [grant(name="A.B", privileges=["IMPORTED PRIVILEGES"])]},
                "IMPORTED PRIVILEGES stand alone and are of type database",
            ),
            ({"exclusive": True, "grants": [grant(role="SYSADMIN", name="A.B")]}, "exclusive would revoke"),
            (
                {"role_memberships": [{"role": "SYSADMIN", "roles": ["ACCOUNTADMIN"], "exclusive": True}]},
                r"role_memberships\[0\]\.exclusive: SYSADMIN belongs to Snowflake",
            ),
            (
                {"role_memberships": [{"role": "A", "users": ["U"]}, {"role": "a", "users": ["u"], "state": "absent"}]},
                "the membership is present and absent",
            ),
            (
                {"role_memberships": [{"database_role": "A.R", "users": ["U"]}]},
                "a database role is granted to roles, not to users",
            ),
            (
                {"role_memberships": [{"database_role": "A.R", "database_roles": ["B.R"]}]},
                "B.R stands in another database than A.R",
            ),
            ({"parameters": [{"type": "user", "parameters": {"TIMEZONE": "UTC"}}]}, r"\.name: '' is not a name"),
            ({"parameters": [{"type": "account", "parameters": {"A B": 1}}]}, "'A B' is not a parameter"),
            (
                {"parameters": [{"type": "account", "parameters": {"TIMEZONE": zone}} for zone in "ab"]},
                r"TIMEZONE has another value by parameters\[0\]",
            ),
            ({"network_policies": [{"name": "N", "allowed_ip_list": ["10.0.0.1/8"]}]}, "has host bits set"),
            (
                {"tags": [{"name": "A.B.T", "allowed_values": ["x"], "objects": [tagged(value="y")]}]},
                "'y' is none of the allowed values",
            ),
            ({"file_formats": [{"name": "A.B.F", "options": {"A = 1": 2}}]}, "is not an option of a file format"),
            (
                {"schemas": [{"name": "A.B", "state": "absent"}], "stages": [{"name": "A.B.S"}]},
                r"stages\[0\]\.name: its schema is absent by schemas\[0\]",
            ),
            ({"grants": [grant(name="A.B"), grant(name="a.b", state="absent")]}, "present and absent"),
            (
                {"grants": [grant(all_in="A"), grant(name="A.B", state="absent")]},
                r"grants\[1\]: USAGE is absent \(name A\.B\), but grants\[0\] says present \(all_in A\)",
            ),
            (
                {"grants": [grant(name="A.B"), grant(all_in="a", state="absent")]},
                r"grants\[0\]: USAGE is present \(name A\.B\), but grants\[1\] says absent \(all_in A\)",
            ),
            (
                {
                    "grants": [
                        grant(type="table", privileges=["SELECT", "INSERT"], all_in="A"),
                        grant(type="table", privileges=["INSERT"], all_in="A.B", state="absent"),
                    ]
                },
                r"grants\[1\]: INSERT is absent \(all_in A\.B\), but grants\[0\] says present",
            ),
            (
                {"databases": [{"name": "A", "state": "absent"}], "schemas": [{"name": "A.B"}]},
                r"schemas\[0\]\.name: its database is absent by databases\[0\]",
            ),
            (
                {"roles": [{"name": "R", "state": "absent"}], "grants": [grant(name="A.B")]},
                r"grants\[0\]\.role: role R is absent by roles\[0\]",
            ),
        ],
    )
    def test_an_error_names_the_option(self, options, message):
        with pytest.raises(InvalidInputError, match=message):
            read_options(options)

    @pytest.mark.parametrize(
        "other",
        [
            {"name": "A.B", "privileges": ["MODIFY"], "state": "absent"},
            {"name": "C.B", "state": "absent"},
            {"name": "A.B", "role": "S", "state": "absent"},
            {"future_in": "A", "state": "absent"},
            {"name": "A.B"},
        ],
    )
    def test_entries_that_settle_are_accepted(self, other):
        assert len(read_options({"grants": [grant(all_in="A"), grant(**other)]}).bundles) == 2

    def test_what_is_left_out_is_not_managed(self):
        (warehouse,) = read_options({"warehouses": [{"name": "W", "size": None, "comment": ""}]}).things
        assert warehouse.properties == {"comment": ""}


EVERYTHING = {
    "warehouses": [{"name": "LOADING"}],
    "databases": [{"name": "RAW"}],
    "schemas": [{"name": "RAW.GYM"}],
    "roles": [{"name": "LOADER", "granted_to": ["SYSADMIN"]}],
    "users": [{"name": "AIRBYTE", "roles": ["LOADER"], "default_role": "LOADER"}],
    "grants": [
        grant(role="LOADER", privileges=["SELECT"], type="table", future_in="RAW"),
        grant(role="LOADER", all_in="RAW"),
        grant(role="LOADER", privileges=["create  schema", "USAGE"], type="database", name="RAW"),
        grant(role="LOADER", type="warehouse", name="LOADING"),
    ],
}
EMPTY = Observed({word: {} for word in ("WAREHOUSE", "DATABASE", "SCHEMA", "USER")} | {"ROLE": {("SYSADMIN",): {}}})


class TestPlan:
    def test_follows_the_dependencies(self):
        steps = plan(read_options(EVERYTHING), EMPTY).steps
        assert [step.statement for step in steps] == [
            'CREATE ROLE "LOADER"',
            'CREATE WAREHOUSE "LOADING" WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE '
            "INITIALLY_SUSPENDED = TRUE",
            'CREATE DATABASE "RAW"',
            'CREATE SCHEMA "RAW"."GYM"',
            'CREATE USER "AIRBYTE" TYPE = SERVICE DEFAULT_ROLE = "LOADER"',
            'GRANT ROLE "LOADER" TO ROLE "SYSADMIN"',
            'GRANT ROLE "LOADER" TO USER "AIRBYTE"',
            'GRANT USAGE ON ALL SCHEMAS IN DATABASE "RAW" TO ROLE "LOADER"',
            'GRANT CREATE SCHEMA, USAGE ON DATABASE "RAW" TO ROLE "LOADER"',
            'GRANT USAGE ON WAREHOUSE "LOADING" TO ROLE "LOADER"',
            'GRANT SELECT ON FUTURE TABLES IN DATABASE "RAW" TO ROLE "LOADER"',
        ]

    def test_a_monitor_comes_before_its_warehouse_and_takes_all_its_triggers_anew(self):
        triggers = [{"at": 100, "do": "suspend"}, {"at": 80, "do": "notify"}]
        options = {
            **monitor(credit_quota=10, frequency="monthly", triggers=triggers),
            "warehouses": [{"name": "W", "resource_monitor": "m"}],
        }
        nothing = Observed({"RESOURCE MONITOR": {}, "WAREHOUSE": {}})
        assert [step.statement for step in plan(read_options(options), nothing).steps] == [
            'CREATE RESOURCE MONITOR "M" WITH CREDIT_QUOTA = 10 FREQUENCY = MONTHLY START_TIMESTAMP = IMMEDIATELY '
            "TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND",
            'CREATE WAREHOUSE "W" WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE '
            'INITIALLY_SUSPENDED = TRUE RESOURCE_MONITOR = "M"',
        ]
        shown = {"name": "M", "credit_quota": "10.00", "frequency": "MONTHLY", "comment": None}
        columns = {"notify_at": "50%,80%", "suspend_at": "100%", "suspend_immediately_at": None}
        rows = {"SHOW RESOURCE MONITORS": [{**shown, **columns}], "SHOW WAREHOUSES": []}
        changed = plan(
            read_options(monitor(credit_quota=10, triggers=triggers)), observe(answering(rows), read_options(options))
        )
        assert [step.statement for step in changed.steps] == [
            'ALTER RESOURCE MONITOR "M" TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND'
        ]
        (difference,) = changed.differences
        assert difference["before"]["triggers"] == "50% notify, 80% notify, 100% suspend"
        assert difference["after"] == {"credit_quota": 10, "triggers": "80% notify, 100% suspend"}

    def test_drops_in_reverse_and_revokes_before(self):
        gone = {
            kind: [{"name": item["name"], "state": "absent"} for item in EVERYTHING[kind]]
            for kind in ("warehouses", "databases", "schemas", "roles", "users")
        }
        observed = Observed(
            {
                "ROLE": {("LOADER",): {}, ("OTHER",): {}},
                "WAREHOUSE": {("LOADING",): {}},
                "DATABASE": {("RAW",): {}},
                "SCHEMA": {("RAW", "GYM"): {}},
                "USER": {("AIRBYTE",): {}},
            },
            grants={("ROLE", ("OTHER",)): {grants.Grant("table", ("A", "B", "C"), "SELECT")}},
        )
        revoked = grant(role="OTHER", privileges=["SELECT"], type="table", name="A.B.C", state="absent")
        steps = plan(read_options({**gone, "grants": [revoked]}), observed).steps
        assert [step.statement for step in steps] == [
            'REVOKE SELECT ON TABLE "A"."B"."C" FROM ROLE "OTHER"',
            'DROP USER "AIRBYTE"',
            'DROP SCHEMA "RAW"."GYM"',
            'DROP DATABASE "RAW"',
            'DROP WAREHOUSE "LOADING"',
            'DROP ROLE "LOADER"',
        ]

    def test_says_what_does_not_exist(self):
        options = {"users": [{"name": "U", "roles": ["NOBODY"]}], "grants": [grant(role="R", name="A.B")]}
        assert plan(read_options(options), EMPTY).missing == [
            "users[0].roles[0]: role NOBODY does not exist or is not visible to this role",
            "grants[0].role: role R does not exist or is not visible to this role",
            "grants[0].name: schema A.B does not exist or is not visible to this role",
        ]

    def test_a_new_database_brings_its_public_schema(self):
        options = {"databases": [{"name": "A"}], "schemas": [{"name": "A.PUBLIC", "comment": "c"}]}
        statements = [step.statement for step in plan(read_options(options), EMPTY).steps]
        assert statements == ['CREATE DATABASE "A"', 'ALTER SCHEMA "A"."PUBLIC" SET COMMENT = \'c\'']

    def test_ownership_keeps_the_grants_that_stand(self):
        on_a = {"role": "SYSADMIN", "type": "database", "name": "A"}
        options = {"ownership": [owner(**on_a)], "grants": [grant(**on_a)]}
        observed = Observed({"ROLE": {("SYSADMIN",): {}}, "DATABASE": {("A",): {}}})
        assert [step.statement for step in plan(read_options(options), observed).steps] == [
            'GRANT USAGE ON DATABASE "A" TO ROLE "SYSADMIN"',
            'GRANT OWNERSHIP ON DATABASE "A" TO ROLE "SYSADMIN" COPY CURRENT GRANTS',
        ]

    def test_empty_text_unsets_a_reference(self):
        options = {"users": [{"name": "U", "default_role": "", "comment": ""}]}
        observed = Observed({"USER": {("U",): {"default_role": "R", "comment": ""}}})
        assert [step.statement for step in plan(read_options(options), observed).steps] == [
            'ALTER USER "U" UNSET DEFAULT_ROLE'
        ]

    def test_reads_one_listing_per_kind(self):
        many = {"databases": [{"name": f"D{i}"} for i in range(50)], "roles": [{"name": f"R{i}"} for i in range(50)]}
        asked = []
        observe(lambda statements: [asked.append(sql) or [] for sql in statements], read_options(many))
        assert asked == ["SHOW ROLES", "SHOW DATABASES"]


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("select 1", "SELECT"),
        ("  -- drop\n/* x */ (show roles)", "SHOW"),
        ("// c\nDROP TABLE t", "DROP"),
        ("", ""),
        ("/* select", ""),
    ],
)
def test_the_keyword_of_a_statement(statement, word):
    assert keyword(statement) == word


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("10.99.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_http_is_for_private_addresses(host, private):
    assert is_private(host) is private
