"""The account that everybody plans: as options of snowflake_account, and as SnowDDL and permifrost describe it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WITHOUT_SCHEMA_ROLES = '''\
from types import SimpleNamespace

NAMES = (
    "create_managed_access_schema", "create_database_owner_role", "create_database_write_role",
    "create_database_read_role", "create_schema_owner_role", "create_schema_write_role", "create_schema_read_role",
)


def handler(config):
    """SnowDDL would make two or three roles for each schema: 1,000 that the others do not have."""
    vars(config.get_permission_model("DEFAULT"))["ruleset"] = SimpleNamespace(**dict.fromkeys(NAMES, False))
'''


@dataclass(frozen=True)
class State:
    """An account: each user has a role of its own, that has a team's role, that has roles with the grants.

    The names end as SnowDDL ends them: __U_ROLE for a user's role, __B_ROLE for a team's, __T_ROLE for one with grants.
    """

    users: int
    teams: int
    technical: int
    databases: int
    schemas: int
    schemas_each: int
    key: str

    @property
    def roles(self) -> int:
        """How many roles there are."""
        return self.users + self.teams + self.technical

    @property
    def grants(self) -> int:
        """How many grants of privileges there are."""
        return self.technical * (self.databases + self.schemas_each)

    def places(self) -> dict[str, list[str]]:
        """Return the databases, each with the names of its schemas."""
        each = self.schemas // self.databases
        return {f"DB_{d:02}": [f"SCHEMA_{d:02}_{s:02}" for s in range(each)] for d in range(self.databases)}

    def teams_of(self) -> dict[str, list[str]]:
        """Return the teams, each with its technical roles."""
        each = self.technical // self.teams
        return {f"TEAM_{t:02}": [f"DATA_{t * each + n:03}" for n in range(each)] for t in range(self.teams)}

    def user_teams(self) -> dict[str, str]:
        """Return the users, each with the team."""
        return {f"USER_{u:03}": f"TEAM_{u % self.teams:02}" for u in range(self.users)}

    def reads(self) -> dict[str, list[tuple[str, str]]]:
        """Return the technical roles, each with the schemas that it may use."""
        everything = [(database, schema) for database, schemas in self.places().items() for schema in schemas]
        step = len(everything) // self.technical
        return {
            f"DATA_{t:03}": [everything[(t * step + n) % len(everything)] for n in range(self.schemas_each)]
            for t in range(self.technical)
        }

    def options(self) -> dict[str, Any]:
        """Describe the account for snowflake_account."""
        teams, users = self.teams_of(), self.user_teams()
        roles = [{"name": f"{user}__U_ROLE"} for user in users]
        roles += [
            {"name": f"{team}__B_ROLE", "granted_to": [f"{user}__U_ROLE" for user in users if users[user] == team]}
            for team in teams
        ]
        roles += [
            {"name": f"{role}__T_ROLE", "granted_to": [f"{team}__B_ROLE"]}
            for team, inner in teams.items()
            for role in inner
        ]
        usage = {"privileges": ["USAGE"]}
        return {
            "databases": [{"name": database} for database in self.places()],
            "schemas": [
                {"name": f"{database}.{schema}"} for database, inner in self.places().items() for schema in inner
            ],
            "roles": roles,
            "users": [
                {
                    "name": user,
                    "rsa_public_key": self.key,
                    "default_role": f"{user}__U_ROLE",
                    "roles": [f"{user}__U_ROLE"],
                }
                for user in users
            ],
            "grants": [
                {"role": f"{role}__T_ROLE", **usage, **place}
                for role, schemas in self.reads().items()
                for place in (
                    *({"type": "database", "name": database} for database in self.places()),
                    *({"type": "schema", "name": f"{database}.{schema}"} for database, schema in schemas),
                )
            ],
        }

    def write_snowddl(self, directory: Path) -> None:
        """Describe the account for SnowDDL."""
        for database, schemas in self.places().items():
            for schema in (*schemas, "PUBLIC"):
                (directory / database / schema).mkdir(parents=True)
        teams = self.teams_of()
        _write(
            directory / "technical_role.yaml",
            {
                role: {
                    "grants": {"DATABASE:USAGE": list(self.places()), "SCHEMA:USAGE": [".".join(p) for p in schemas]}
                }
                for role, schemas in self.reads().items()
            },
        )
        _write(directory / "business_role.yaml", {team: {"technical_roles": inner} for team, inner in teams.items()})
        people = {
            user: {"type": "SERVICE", "rsa_public_key": self.key, "business_roles": [team]}
            for user, team in self.user_teams().items()
        }
        _write(directory / "user.yaml", people)
        (directory / "__custom").mkdir()
        (directory / "__custom" / "roles.py").write_text(_WITHOUT_SCHEMA_ROLES)

    def write_permifrost(self, path: Path) -> None:
        """Describe the account's memberships and grants for permifrost, which manages nothing else."""
        users, teams = self.user_teams(), self.teams_of()
        roles: list[dict[str, Any]] = [{f"{u}__U_ROLE": {"member_of": [f"{t}__B_ROLE"]}} for u, t in users.items()]
        roles += [
            {f"{team}__B_ROLE": {"member_of": [f"{role}__T_ROLE" for role in inner]}} for team, inner in teams.items()
        ]
        roles += [
            {
                f"{role}__T_ROLE": {
                    "privileges": {
                        "databases": {"read": list(self.places())},
                        "schemas": {"read": [".".join(place) for place in schemas]},
                    }
                }
            }
            for role, schemas in self.reads().items()
        ]
        document = {
            "databases": [{database: {"shared": False}} for database in self.places()],
            "roles": roles,
            "users": [{user: {"can_login": True, "member_of": [f"{user}__U_ROLE"]}} for user in users],
        }
        path.write_text(json.dumps(document).lower())


def _write(path: Path, document: Any) -> None:
    """Write YAML; JSON is YAML too."""
    path.write_text(json.dumps(document))
