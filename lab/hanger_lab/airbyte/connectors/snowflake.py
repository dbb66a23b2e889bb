"""Configuration of the destination Snowflake, in the shape of Airbyte's destination-snowflake 4.0.

The lab's relaxation: the host may be any host with a port, and `ssl=off` among the URL parameters means http.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import Field, StringConstraints

from hanger_lab.airbyte.connectors.postgres import Shape, Text

Host = Annotated[str, StringConstraints(pattern=r"^(https?://)?[A-Za-z0-9._-]+(:[0-9]{1,5})?/?$")]
PARAMETERS = ("ssl", "account", "loginTimeout", "networkTimeout")
SNOWFLAKE_DOMAIN = ".snowflakecomputing.com"


class KeyPair(Shape):
    """Login with an RSA key in PEM."""

    auth_type: Literal["Key Pair Authentication"]
    private_key: Text
    private_key_password: str | None = None


class Password(Shape):
    """Login with a password."""

    auth_type: Literal["Username and Password"]
    password: Text


class SnowflakeConfig(Shape):
    """A Snowflake database to write to."""

    host: Host
    role: Text
    warehouse: Text
    database: Text
    schema_: Text = Field(alias="schema")
    username: Text
    credentials: Annotated[KeyPair | Password, Field(discriminator="auth_type")] | None = None
    cdc_deletion_mode: Literal["Hard delete", "Soft delete"] = "Hard delete"
    disable_type_dedupe: bool = False
    raw_data_schema: str | None = None
    jdbc_url_params: str | None = None
    retention_period_days: Annotated[int, Field(ge=0, le=90)] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The URL parameters by name."""
        return dict(parse_qsl(self.jdbc_url_params or "", keep_blank_values=True))

    @property
    def protocol(self) -> str:
        """Either http or https."""
        plain = self.parameters.get("ssl", "on").lower() == "off" or self.host.startswith("http://")
        return "http" if plain else "https"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        name, _, port = self.host.partition("://")[2 if "://" in self.host else 0].rstrip("/").partition(":")
        return name, int(port) if port else (80 if self.protocol == "http" else 443)

    def account(self, default: str) -> str:
        """The account that the host name tells, else the one among the URL parameters, else the lab's."""
        name = self.address[0]
        if name.endswith(SNOWFLAKE_DOMAIN):
            return name.removesuffix(SNOWFLAKE_DOMAIN)
        return self.parameters.get("account", default)

    def refusals(self) -> list[str]:
        """Return what Airbyte could do with this configuration and the lab cannot, one sentence each."""
        found = []
        if self.credentials is None:
            found.append("$.credentials: is missing but it is required to log in")
        if self.disable_type_dedupe:
            found.append("$.disable_type_dedupe: legacy raw tables are not supported by the lab")
        if self.raw_data_schema:
            found.append("$.raw_data_schema: is not supported by the lab, which keeps its tables beside the final ones")
        for name, value in self.parameters.items():
            if name not in PARAMETERS:
                found.append(
                    f"$.jdbc_url_params: '{name}' is not supported by the lab, which knows {', '.join(PARAMETERS)}"
                )
            elif name == "ssl" and value.lower() not in ("on", "off"):
                found.append(f"$.jdbc_url_params: ssl is on or off, not '{value}'")
            elif name.endswith("Timeout") and not value.isdigit():
                found.append(f"$.jdbc_url_params: {name} is a number of seconds, not '{value}'")
        if self.address[1] > 65535:
            found.append(f"$.host: {self.address[1]} is no port")
        return found
