"""One client's login: who it is, what it works with, and its connection to the data."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hanger_lab.snowflake import access, errors
from hanger_lab.snowflake.access import Access
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Properties, Value

if TYPE_CHECKING:
    from hanger_lab.snowflake.data.engine import Connection, Engine
    from hanger_lab.snowflake.usage.history import History
    from hanger_lab.snowflake.usage.meter import Meter

SESSION_SECONDS = 3600
MASTER_SECONDS = 14_400
_ALMOST_NEW_SECONDS = 60


@dataclass(frozen=True)
class Lives:
    """How long tokens are valid, in seconds: the session's, and the one that renews it."""

    session: float = SESSION_SECONDS
    master: float = MASTER_SECONDS


@dataclass
class Session:
    """The state that USE and ALTER SESSION change."""

    user: str
    role: str
    connection: Connection
    secondary: bool = True
    warehouse: str | None = None
    database: str | None = None
    schema: str | None = None
    id: int = field(default_factory=lambda: secrets.randbits(52))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    master_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    parameters: Properties = field(default_factory=dict)
    inherited: dict[str, tuple[Value, str]] = field(default_factory=dict)
    own_parameters: set[str] = field(default_factory=set)
    address: str = ""
    client: str = ""
    user_created: float = 0.0
    clock: Callable[[], float] = time.time
    lives: Lives = field(default_factory=lambda: Lives())
    issued: float = 0.0
    used: float = 0.0
    by_token: bool = False
    restricted: bool = False
    cancelled: bool = False
    record: tuple[int, dict[str, Any]] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.issued = self.used = self.clock()

    @property
    def expired(self) -> bool:
        """Whether the token is older than its announced validity."""
        return self.clock() - self.issued > self.lives.session

    @property
    def ended(self) -> bool:
        """Whether the client has not been heard of for longer than the master token's announced validity."""
        return self.clock() - self.used > self.lives.master

    def renew(self) -> None:
        """Replace the token; one that is almost new is kept, because a client may ask twice at the same time."""
        if self.clock() - self.issued > min(_ALMOST_NEW_SECONDS, self.lives.session):
            self.token = secrets.token_urlsafe(32)
            self.issued = self.clock()

    def cancel(self) -> None:
        """Stop the statement that runs; it fails as Snowflake's do when they are cancelled."""
        self.cancelled = True
        self.connection.duck.interrupt()

    def set_parameters(self, values: Properties) -> None:
        """Set parameters for this session alone."""
        self.parameters.update(values)
        self.own_parameters.update(values)

    def unset_parameter(self, name: str) -> None:
        """Go back to what the session inherited when it began."""
        self.own_parameters.discard(name)
        self.parameters.pop(name, None)
        if name in self.inherited:
            self.parameters[name] = self.inherited[name][0]

    def qualify(self, name: Name, depth: int, command: str) -> Name:
        """Complete a name to `depth` parts with the current database and schema; raises when there are none."""
        if len(name) > depth:
            raise errors.syntax(".")
        context = (self.database, self.schema)[: depth - 1]
        prefix = context[: depth - len(name)] if depth > len(name) else ()
        if len(prefix) >= 1 and prefix[0] is None:
            raise errors.no_database(command)
        if len(prefix) >= 2 and prefix[1] is None:
            raise errors.no_schema(command)
        return tuple(part for part in prefix if part is not None) + name


@dataclass
class Context:
    """What a statement works with: the account's catalogue, the data, and the session it runs in.

    With `describe_only` the statement is not run: its result is described.
    """

    account: str
    catalog: Catalog
    engine: Engine
    session: Session
    meter: Meter
    history: History
    clock: Callable[[], float]
    describe_only: bool = False

    @property
    def access(self) -> Access:
        """The rights in force now."""
        session = self.session
        primary = access.inherited(self.catalog, [session.role])
        everything = primary | access.secondary(self.catalog, session.user) if session.secondary else primary
        return Access(self.catalog, self.account, session.role, primary, everything)
