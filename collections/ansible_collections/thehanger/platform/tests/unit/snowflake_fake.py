# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small account behind the connector's interface: it understands what the modules send and remembers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.identifiers import Name, parse, show
from ansible_collections.thehanger.platform.plugins.module_utils.snowflake.keys import fingerprint

SYSTEM_ROLES = ("ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "USERADMIN", "PUBLIC")
SIZES = {"XSMALL": "X-Small", "SMALL": "Small", "XXLARGE": "2X-Large"}
NAME = r'("(?:[^"]|"")*"(?:\."(?:[^"]|"")*")*)'
PROPERTY = re.compile(r"(\w+) = ('(?:\\.|''|[^'\\])*'|\"(?:[^\"]|\"\")*\"(?:\.\"(?:[^\"]|\"\")*\")*|[\w.]+)")


class FakeError(Exception):
    """An error as the connector raises it."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(message)
        self.errno, self.msg, self.sqlstate, self.sfqid = errno, message, "02000", "01"


class FakeAccount:
    """Objects, grants and memberships, and every statement that was sent."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.logins: list[dict[str, Any]] = []
        self.objects: dict[str, dict[Name, dict[str, Any]]] = {
            word: {}
            for word in ("ROLE", "RESOURCE MONITOR", "WAREHOUSE", "DATABASE", "SCHEMA", "USER", "TABLE", "VIEW")
        }
        self.objects["ROLE"].update({(role,): {} for role in SYSTEM_ROLES})
        self.members: set[tuple[Name, str, Name]] = set()
        self.grants: set[tuple[str, str, str, Name]] = set()
        self.future: set[tuple[str, str, str, Name]] = set()
        self.refuse: Callable[[str], str | None] = lambda statement: None

    def connect(self, **settings: Any) -> FakeAccount:
        """Log in."""
        self.logins.append(settings)
        return self

    def cursor(self) -> FakeCursor:
        """Return a cursor."""
        return FakeCursor(self)

    def close(self) -> None:
        """Log out."""

    @property
    def writes(self) -> list[str]:
        """The statements that were not reads."""
        return [sql for sql in self.statements if not re.match(r"(SHOW|DESC|SELECT) ", sql)]

    def run(self, sql: str) -> list[dict[str, Any]]:
        """Run one statement."""
        self.statements.append(sql)
        if problem := self.refuse(sql):
            raise FakeError(3001, problem)
        for pattern, handler in self.grammar():
            if match := re.fullmatch(pattern, sql, re.DOTALL):
                return list(handler(*match.groups()) or ())
        raise FakeError(1003, f"SQL compilation error: {sql}")

    def grammar(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Pair each form of statement with what it does."""
        yield r"SHOW (ROLE|RESOURCE MONITOR|WAREHOUSE|DATABASE|USER)S", self.show
        yield r"SHOW (SCHEMA)S IN ACCOUNT", self.show
        yield rf"SHOW (TABLE|VIEW)S IN (?:SCHEMA|DATABASE) {NAME}", self.show_in
        yield rf"DESC USER {NAME}", self.describe_user
        yield rf"SHOW GRANTS OF ROLE {NAME}", self.show_members
        yield rf"SHOW (FUTURE )?GRANTS TO ROLE {NAME}", self.show_grants
        # What only the emulated account of the lab has.
        inside = "(?:NETWORK RULES|AUTHENTICATION POLICIES|TAGS|FILE FORMATS|STAGES) IN ACCOUNT"
        others = "NETWORK POLICIES|STORAGE INTEGRATIONS|PARAMETERS IN .*|USER PROGRAMMATIC .*"
        yield rf"SHOW (?:{inside}|{others})", list
        yield r"SELECT (.*)", lambda text: [{"A": text}]
        yield rf"CREATE (RESOURCE MONITOR|\w+) {NAME}(.*)", self.create
        yield rf"ALTER WAREHOUSE {NAME} (SUSPEND|RESUME)(?: IF SUSPENDED)?", self.switch
        yield rf"ALTER (\w+) {NAME} SET (.*)", self.alter
        yield rf"ALTER (\w+) {NAME} UNSET (.*)", self.unset
        yield rf"DROP (\w+) {NAME}", self.drop
        yield rf"GRANT ROLE {NAME} TO (ROLE|USER) {NAME}", self.add_member
        yield (
            (
                rf"(GRANT|REVOKE) (.+) ON (FUTURE |ALL )?(.+?)(?: IN (SCHEMA|DATABASE))? {NAME} (?:TO|FROM) ROLE {NAME}"
                r"(?: COPY CURRENT GRANTS)?"
            ),
            self.grant,
        )

    def show(self, word: str) -> Iterator[dict[str, Any]]:
        """List objects with the columns of SHOW."""
        for name, values in self.objects[word].items():
            row = {"name": name[-1], "comment": values.get("COMMENT", ""), "owner": "ACCOUNTADMIN"}
            if word == "SCHEMA":
                row["database_name"] = name[0]
            if word == "WAREHOUSE":
                row["size"] = SIZES[values["WAREHOUSE_SIZE"]]
                row["auto_suspend"] = int(values["AUTO_SUSPEND"])
                row["auto_resume"] = str(values["AUTO_RESUME"]).lower()
                row["state"] = "SUSPENDED" if values["INITIALLY_SUSPENDED"] == "TRUE" else "STARTED"
            if word == "USER":
                row.update({column: values.get(column.upper(), "") for column in ("type", "default_role")})
                row["default_warehouse"] = values.get("DEFAULT_WAREHOUSE", "")
                row["default_namespace"] = values.get("DEFAULT_NAMESPACE", "")
                row["disabled"] = str(values.get("DISABLED", "false")).lower()
                row["has_rsa_public_key"] = str("RSA_PUBLIC_KEY" in values).lower()
            yield row

    def show_in(self, word: str, place: str) -> Iterator[dict[str, Any]]:
        """List tables or views of a container."""
        container = parse(place)
        for name in self.objects[word]:
            if name[: len(container)] == container:
                yield dict(zip(("database_name", "schema_name", "name"), name, strict=True))

    def describe_user(self, text: str) -> Iterator[dict[str, Any]]:
        """Describe a user."""
        values = self.objects["USER"][parse(text)]
        key = values.get("RSA_PUBLIC_KEY")
        yield {"property": "NAME", "value": text}
        yield from ({"property": word, "value": values.get(word) or "null"} for word in ("COMMENT", "DEFAULT_ROLE"))
        yield {"property": "RSA_PUBLIC_KEY_FP", "value": fingerprint(key) if key else "null"}

    def show_members(self, text: str) -> Iterator[dict[str, Any]]:
        """List who holds a role."""
        for role, kind, name in self.members:
            if role == parse(text):
                yield {"role": role[0], "granted_to": kind, "grantee_name": name[0]}

    def show_grants(self, future: str | None, text: str) -> Iterator[dict[str, Any]]:
        """List what a role holds."""
        for role, privilege, type_, target in self.future if future else self.grants:
            if role == show(parse(text)) and future:
                name = f"{show(target)}.<{type_}>"
                yield {"privilege": privilege, "grant_on": type_.replace(" ", "_"), "name": name}
            elif role == show(parse(text)):
                yield {"privilege": privilege, "granted_on": type_.replace(" ", "_"), "name": show(target)}

    def create(self, word: str, text: str, rest: str) -> None:
        """Create an object."""
        name = parse(text)
        if name in self.objects[word]:
            raise FakeError(2002, f"Object '{text}' already exists.")
        self.objects[word][name] = self.properties(rest)
        if word == "DATABASE":
            self.objects["SCHEMA"][(*name, "PUBLIC")] = {}
            self.objects["SCHEMA"][(*name, "INFORMATION_SCHEMA")] = {}

    def switch(self, text: str, action: str) -> None:
        """Suspend or resume a warehouse."""
        warehouse = self.found("WAREHOUSE", parse(text))
        suspended = str(action == "SUSPEND").upper()
        if action == "SUSPEND" and warehouse["INITIALLY_SUSPENDED"] == suspended:
            raise FakeError(90064, f"Invalid state. Warehouse '{text}' cannot be suspended.")
        warehouse["INITIALLY_SUSPENDED"] = suspended

    def alter(self, word: str, text: str, rest: str) -> None:
        """Set properties."""
        self.found(word, parse(text)).update(self.properties(rest))

    def unset(self, word: str, text: str, rest: str) -> None:
        """Remove properties."""
        for keyword in rest.split(", "):
            self.found(word, parse(text)).pop(keyword, None)

    def drop(self, word: str, text: str) -> None:
        """Drop an object."""
        self.found(word, parse(text))
        del self.objects[word][parse(text)]

    def add_member(self, role: str, kind: str, grantee: str) -> None:
        """Grant a role."""
        self.found("ROLE", parse(role))
        self.found(kind, parse(grantee))
        self.members.add((parse(role), kind, parse(grantee)))

    def grant(
        self, action: str, privileges: str, scope: str | None, what: str, _in: str | None, where: str, role: str
    ) -> None:
        """Grant or revoke privileges."""
        self.found("ROLE", parse(role))
        holders = self.future if scope == "FUTURE " else self.grants
        targets = [parse(where)]
        if scope:
            what = what.removesuffix("S")
        if scope == "ALL ":
            targets = [name for name in self.objects[what] if name[: len(targets[0])] == targets[0]]
            targets = [name for name in targets if name[1] != "INFORMATION_SCHEMA"]
        rows = {
            (show(parse(role)), privilege, what, target) for privilege in privileges.split(", ") for target in targets
        }
        if action == "GRANT":
            holders |= rows
        else:
            holders -= rows

    def found(self, word: str, name: Name) -> dict[str, Any]:
        """Return an object or fail as Snowflake does."""
        if name not in self.objects[word]:
            raise FakeError(2003, f"{word} '{show(name)}' does not exist or not authorized.")
        return self.objects[word][name]

    def properties(self, text: str) -> dict[str, str]:
        """Read `NAME = value` pairs; raises where something else stands between them."""
        if PROPERTY.sub("", text).strip():
            raise FakeError(1003, f"unexpected {text!r}")
        return {keyword: self.value(value) for keyword, value in PROPERTY.findall(text)}

    @staticmethod
    def value(text: str) -> str:
        """Read a value."""
        if text.startswith("'"):
            return re.sub(r"\\(.)|''", lambda match: match.group(1) or "'", text[1:-1], flags=re.DOTALL)
        return show(parse(text)) if text.startswith('"') else text


class FakeCursor:
    """A cursor over the rows of one statement."""

    def __init__(self, account: FakeAccount) -> None:
        self.account = account
        self.rows: list[dict[str, Any]] = []
        self.description: list[tuple[str]] = []

    def execute(self, sql: str) -> FakeCursor:
        """Run a statement."""
        self.rows = self.account.run(sql)
        self.description = [(column,) for column in (self.rows[0] if self.rows else {})]
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows."""
        return [tuple(row.values()) for row in self.rows]

    def close(self) -> None:
        """Do nothing."""
