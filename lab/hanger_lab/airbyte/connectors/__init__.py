"""The connectors that the lab has: one source, one destination."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hanger_lab.airbyte.connectors.postgres import PostgresConfig
from hanger_lab.airbyte.connectors.snowflake import SnowflakeConfig

Path = tuple[str, ...]


@dataclass(frozen=True)
class Connector:
    """What the API tells about a connector, and the shape of its configuration."""

    kind: str
    name: str
    title: str
    definition_id: str
    version: str
    model: type[BaseModel]
    secrets: frozenset[Path]

    @property
    def repository(self) -> str:
        """The name of the connector's image."""
        return f"airbyte/{self.kind}-{self.name}"

    @property
    def documentation(self) -> str:
        """Where the connector is described."""
        return f"https://docs.airbyte.com/integrations/{self.kind}s/{self.name}"


CONNECTORS = (
    Connector(
        "source",
        "postgres",
        "Postgres",
        "decd338e-5647-4c0b-adf4-da0e75f5a750",
        "3.7.0",
        PostgresConfig,
        frozenset(
            {
                ("password",),
                ("ssl_mode", "ca_certificate"),
                ("ssl_mode", "client_certificate"),
                ("ssl_mode", "client_key"),
                ("ssl_mode", "client_key_password"),
                ("tunnel_method", "ssh_key"),
                ("tunnel_method", "tunnel_user_password"),
            }
        ),
    ),
    Connector(
        "destination",
        "snowflake",
        "Snowflake",
        "424892c4-daac-4491-b35d-c6688ba547ba",
        "4.0.33",
        SnowflakeConfig,
        frozenset({("credentials", "private_key"), ("credentials", "password")}),
    ),
)


def of_kind(kind: str) -> list[Connector]:
    """Return the connectors that are sources, or those that are destinations."""
    return [connector for connector in CONNECTORS if connector.kind == kind]


def find(kind: str, *, name: str | None = None, definition_id: str | None = None) -> Connector | None:
    """Return the connector of that type or definition, None when the lab has none."""
    for connector in of_kind(kind):
        if definition_id == connector.definition_id or (definition_id is None and name == connector.name):
            return connector
    return None
