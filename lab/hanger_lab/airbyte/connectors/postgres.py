"""Configuration of the source PostgreSQL, in the shape of Airbyte's source-postgres 3.7."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Port = Annotated[int, Field(ge=0, le=65536)]
Text = Annotated[str, StringConstraints(min_length=1)]


class Shape(BaseModel):
    """A part of a configuration: types are exact, unknown fields are kept, as Airbyte does."""

    model_config = ConfigDict(strict=True, extra="allow", hide_input_in_errors=True)


class Disable(Shape):
    """Never encrypt."""

    mode: Literal["disable"]


class Allow(Shape):
    """Encrypt if the server insists."""

    mode: Literal["allow"]


class Prefer(Shape):
    """Encrypt if the server can."""

    mode: Literal["prefer"]


class Require(Shape):
    """Encrypt, whoever the server is."""

    mode: Literal["require"]


class Verified(Shape):
    """Certificates in PEM."""

    ca_certificate: str
    client_certificate: str | None = None
    client_key: str | None = None
    client_key_password: str | None = None


class VerifyCa(Verified):
    """Encrypt, and check who signed the server's certificate."""

    mode: Literal["verify-ca"]


class VerifyFull(Verified):
    """Encrypt, and check the server's certificate and name."""

    mode: Literal["verify-full"]


class Standard(Shape):
    """New rows are found by a cursor column."""

    method: Literal["Standard"]


class Xmin(Shape):
    """New rows are found by the system column xmin."""

    method: Literal["Xmin"]


class Cdc(Shape):
    """Changes are read from the write-ahead log."""

    method: Literal["CDC"]
    replication_slot: str
    publication: str
    plugin: Literal["pgoutput"] = "pgoutput"
    initial_waiting_seconds: int = 1200
    queue_size: int = 10000
    initial_load_timeout_hours: int = 8
    lsn_commit_behaviour: Literal["While reading Data", "After loading Data in the destination"] = (
        "After loading Data in the destination"
    )
    invalid_cdc_cursor_position_behavior: Literal["Fail sync", "Re-sync data"] = "Fail sync"
    heartbeat_action_query: str = ""


class NoTunnel(Shape):
    """The database is reached directly."""

    tunnel_method: Literal["NO_TUNNEL"]


class Tunnel(Shape):
    """A jump host."""

    tunnel_host: str
    tunnel_port: Port
    tunnel_user: str


class KeyTunnel(Tunnel):
    """A jump host that takes a key."""

    tunnel_method: Literal["SSH_KEY_AUTH"]
    ssh_key: str


class PasswordTunnel(Tunnel):
    """A jump host that takes a password."""

    tunnel_method: Literal["SSH_PASSWORD_AUTH"]
    tunnel_user_password: str


SslMode = Disable | Allow | Prefer | Require | VerifyCa | VerifyFull


class PostgresConfig(Shape):
    """A PostgreSQL database to read from."""

    host: Text
    port: Port
    database: Text
    username: Text
    password: str | None = None
    schemas: list[str] = ["public"]
    jdbc_url_params: str | None = None
    ssl_mode: Annotated[SslMode, Field(discriminator="mode")] = Prefer(mode="prefer")
    replication_method: Annotated[Standard | Xmin | Cdc, Field(discriminator="method")] = Standard(method="Standard")
    tunnel_method: Annotated[NoTunnel | KeyTunnel | PasswordTunnel, Field(discriminator="tunnel_method")] = NoTunnel(
        tunnel_method="NO_TUNNEL"
    )
    entra_service_principal_auth: bool = False
    entra_tenant_id: str | None = None
    entra_client_id: str | None = None

    def refusals(self) -> list[str]:
        """Return what Airbyte could do with this configuration and the lab cannot, one sentence each."""
        found = []
        if not isinstance(self.replication_method, Standard):
            method = self.replication_method.method
            found.append(f"$.replication_method.method: '{method}' is not supported by the lab, which has 'Standard'")
        if not isinstance(self.tunnel_method, NoTunnel):
            tunnel = self.tunnel_method.tunnel_method
            found.append(f"$.tunnel_method.tunnel_method: '{tunnel}' is not supported by the lab, use 'NO_TUNNEL'")
        if self.entra_service_principal_auth:
            found.append("$.entra_service_principal_auth: is not supported by the lab")
        if self.jdbc_url_params:
            found.append("$.jdbc_url_params: is not supported by the lab, whose source speaks no JDBC")
        return found
