"""One emulated account: its catalogue, its data, its sessions."""

from __future__ import annotations

import contextlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hanger_lab.snowflake import access, auth, errors, keys, names, policies, statements
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.data import bound_text, changes, executor, kept
from hanger_lab.snowflake.data.engine import Engine
from hanger_lab.snowflake.lexer import first_words
from hanger_lab.snowflake.model import ACCOUNT, PRIVILEGES, SHARED, SYSTEM_ROLES, Grant, RoleGrant
from hanger_lab.snowflake.session import Context, Lives, Session
from hanger_lab.snowflake.statements import parameters, use, user, warehouse
from hanger_lab.snowflake.store import Store
from hanger_lab.snowflake.usage.history import History
from hanger_lab.snowflake.usage.meter import Meter
from hanger_lab.snowflake.usage.records import Records

log = logging.getLogger(__name__)

_HIERARCHY = (
    ("SECURITYADMIN", "ACCOUNTADMIN"),
    ("SYSADMIN", "ACCOUNTADMIN"),
    ("USERADMIN", "SECURITYADMIN"),
)
_SYSTEM_PRIVILEGES = {
    "SECURITYADMIN": (
        "MANAGE GRANTS",
        "ATTACH POLICY",
        "CREATE NETWORK POLICY",
        "APPLY AUTHENTICATION POLICY",
        "APPLY PASSWORD POLICY",
        "APPLY SESSION POLICY",
    ),
    "SYSADMIN": ("CREATE DATABASE", "CREATE WAREHOUSE"),
    "USERADMIN": ("CREATE ROLE", "CREATE USER"),
}


class Account:
    """Everything that outlives a request."""

    def __init__(
        self, name: str, directory: Path, clock: Callable[[], float] = time.time, lives: Lives | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        self.name = name.upper()
        self._store = Store(directory / "catalog.sqlite")
        self.directory = directory
        self.clock = clock
        self.lives = lives or Lives()
        self.catalog = Catalog(self._store, clock)
        self._records = Records(directory / "usage.sqlite")
        self.meter = Meter(self._records, self.catalog, clock)
        self.history = History(self._records, clock)
        self.engine = Engine(directory)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._seed()
        self._reconcile()

    def ensure_admin(self, name: str, public_key: str) -> None:
        """Create or update the first user: a service user with this key that may use ACCOUNTADMIN."""
        key = keys.normalise(public_key)
        with self.catalog.change():
            found = self.catalog.find("USER", (name.upper(),))
            if found is None:
                found = self.catalog.create("USER", (name.upper(),), "ACCOUNTADMIN")
                found.properties.update(TYPE="SERVICE", DEFAULT_ROLE="ACCOUNTADMIN")
            found.properties["RSA_PUBLIC_KEY"] = key
            self.catalog.save(found)
            self.catalog.grant_role(RoleGrant("ACCOUNTADMIN", "USER", name.upper(), ""))

    def login(self, data: Mapping[str, Any], wanted: Mapping[str, str], address: str) -> Session:
        """Open a session for a client at an IP address; raises SnowflakeError when the login is refused."""
        login = auth.Login(data, wanted, address)
        try:
            with self.catalog.read():
                admission = auth.authenticate(login, self.name, self.catalog, self.clock())
            session = self._open(admission, login)
        except errors.SnowflakeError as refused:
            self.history.login(login.name, data, address, login.factor, refused)
            auth.remember(login, self.catalog, refused, self.clock())
            raise
        auth.remember(login, self.catalog, None, self.clock())
        factor = "PROGRAMMATIC_ACCESS_TOKEN" if session.by_token else login.factor
        number = self.history.login(session.user, data, address, factor, None)
        self.history.open(session, data, number, factor)
        self._end_idle_sessions()
        with self._lock:
            self._sessions[session.token] = session
        log.info("login of %s with role %s", session.user, session.role)
        return session

    def _open(self, admission: auth.Admission, login: auth.Login) -> Session:
        found, data = admission.user, login.data
        given = use.at_login(data.get("SESSION_PARAMETERS") or {})
        session = Session(
            found.name[0],
            admission.role,
            self.engine.connect(),
            secondary=user.secondary_roles(found) and not admission.restricted,
            by_token=admission.by_token,
            restricted=admission.restricted,
            user_created=found.created,
            clock=self.clock,
            lives=self.lives,
        )
        session.client = f"{data.get('CLIENT_APP_ID', '')} {data.get('CLIENT_APP_VERSION', '')}".strip()
        self._start_in(session, login.wanted, found.properties)
        session.address = login.address
        with self.catalog.read():
            parameters.inherit(session, self.catalog, found)
        session.set_parameters(given)
        return session

    def session(self, token: str) -> Session | None:
        """Find a session by its token, and note that it is in use; None when it or its user is gone."""
        found = self._sessions.get(token)
        if found is None or found.ended or not self._user_remains(found):
            return None
        found.used = self.clock()
        return found

    def renew(self, master_token: str) -> Session | None:
        """Find a session by its master token, and give it a new token."""
        with self._lock:
            for token, found in list(self._sessions.items()):
                if hmac.compare_digest(found.master_token.encode(), master_token.encode()):
                    if found.ended or not self._user_remains(found):
                        return None
                    found.renew()
                    found.used = self.clock()
                    del self._sessions[token]
                    self._sessions[found.token] = found
                    return found
        return None

    def logout(self, token: str, reason: str = "LOGOUT") -> None:
        """End a session: its transaction is undone, its temporary objects are dropped."""
        with self._lock:
            session = self._sessions.pop(token, None)
        if session is None:
            return
        with session.lock:
            context = self.context(session)
            with contextlib.suppress(Exception):
                session.connection.duck.rollback()
            for kind, name in session.connection.temporary:
                with contextlib.suppress(Exception), self.catalog.change():
                    changes.drop(kind, name, context)
                    self.catalog.remove(kind, name)
            session.connection.close()
        self.history.closed(session, reason)

    def sessions(self) -> list[Session]:
        """Return the sessions that are open."""
        with self._lock:
            return list(self._sessions.values())

    def tick(self) -> None:
        """Do what time brings: suspend warehouses, cancel statements over a quota, end sessions that nobody uses."""
        with self.catalog.read():
            over = self.meter.check()
        for session in self.sessions():
            if session.id in over:
                session.cancel()
        self._end_idle_sessions()

    def context(self, session: Session, *, describe_only: bool = False) -> Context:
        """Put together what a statement of the session works with."""
        parts = (self.name, self.catalog, self.engine, session, self.meter, self.history, self.clock)
        return Context(*parts, describe_only=describe_only)

    def execute(self, session: Session, request: executor.Request) -> dict[str, Any]:
        """Run one statement and return the `data` of the answer; raises SnowflakeError when it fails.

        A request that was answered already is not carried out again: its answer got lost on the way.
        """
        with session.lock:
            known = session.answers.get(request.id)
            if isinstance(known, errors.SnowflakeError):
                raise known
            if known is not None:
                return known
            session.cancelled = False
            if request.describe_only:
                return {"queryId": request.query_id, **self._run(session, request)[0]}
            statement = self.history.begin(session, request.text, request.query_id)
            try:
                found, statement.size = self._run(session, request)
                answer = {"queryId": statement.query_id, **found}
            except BaseException as problem:
                self.history.fail(statement, problem, request.text)
                if isinstance(problem, errors.SnowflakeError):
                    problem.query_id = statement.query_id
                    session.remember(request.id, problem)
                raise
            self.history.succeed(statement, answer)
            session.remember(request.id, answer)
            return answer

    def _run(self, session: Session, request: executor.Request) -> tuple[dict[str, Any], str | None]:
        """Return the answer, and the size of the warehouse that worked for it."""
        context = self.context(session, describe_only=request.describe_only)
        try:
            self._require_admitted(request.text, session)
            request = bound_text.write(request)
            answer = self._definition(request, context) or executor.execute(request, context)
            if not request.describe_only:
                session.connection.kept.keep(request.query_id, answer)
            answer.pop(kept.TABLE, None)
        except errors.SnowflakeError:
            if session.cancelled:
                raise errors.cancelled() from None
            raise
        finally:
            name = self.meter.finish(session.id)
        worked = self.catalog.find("WAREHOUSE", (name,)) if name is not None else None
        size = warehouse.SIZES[str(worked.properties.get("WAREHOUSE_SIZE") or "XSMALL")] if worked is not None else None
        return {**answer, **self._final(session)}, size

    def close(self) -> None:
        """End all sessions and close all files."""
        for token in list(self._sessions):
            self.logout(token)
        self.engine.checkpoint()
        self.engine.close()
        self._records.close()
        self._store.close()

    def _definition(self, request: executor.Request, context: Context) -> dict[str, Any] | None:
        """Run an account statement; None for all others. To describe one it is run only when it reads."""
        if request.describe_only and not statements.only_reads(request.text):
            return None
        if statements.is_definition(request.text):
            executor.end_transaction(context.session)
        try:
            found = statements.run(request.text, context)
        except errors.SnowflakeError:
            raise
        except Exception as problem:
            raise executor.translate(problem, request.text) from problem
        if found is None:
            return None
        if request.describe_only:
            found.rows = []
        return found.wire()

    def _end_idle_sessions(self) -> None:
        """End the sessions whose clients went away without a word, and those whose users are gone."""
        for token, session in list(self._sessions.items()):
            if session.ended or not self._user_remains(session):
                self.logout(token, "SESSION_EXPIRED" if session.ended else "USER_REMOVED")

    def _user_remains(self, session: Session) -> bool:
        """Whether the user who logged in is still there and enabled, and is not another of the same name."""
        found = self.catalog.find("USER", (session.user,))
        return (
            found is not None and found.created == session.user_created and found.properties.get("DISABLED") is not True
        )

    def _require_admitted(self, text: str, session: Session) -> None:
        """Refuse what comes from where it may not come from any more, or with a role that the user has no more.

        Without the session's primary role only a change of role is left.
        """
        with self.catalog.read():
            policies.require_address(self.catalog, self.catalog.find("USER", (session.user,)), session.address)
            allowed = session.role in access.assumable(self.catalog, session.user)
        if not allowed and first_words(text, 2) != ["USE", "ROLE"]:
            raise errors.role_not_assigned(session.role)

    def _final(self, session: Session) -> dict[str, Any]:
        return {
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        }

    def _start_in(self, session: Session, wanted: Mapping[str, str], defaults: Mapping[str, Any]) -> None:
        """Set warehouse, database and schema; those that may not be used are left out, as Snowflake does."""
        context = self.context(session)
        named = wanted.get("warehouse") or defaults.get("DEFAULT_WAREHOUSE")
        if named and context.access.holds("USAGE", "WAREHOUSE", (auth.folded(str(named)),)):
            session.warehouse = auth.folded(str(named))
        database, schema = wanted.get("databaseName"), wanted.get("schemaName")
        if not database and defaults.get("DEFAULT_NAMESPACE"):
            parts = names.split(str(defaults["DEFAULT_NAMESPACE"]))
            database, schema = names.quote(parts[0]), names.quote(parts[1]) if len(parts) > 1 else None
        with self.catalog.read(), contextlib.suppress(errors.SnowflakeError):
            if database:
                use.use_database(context, auth.folded(database))
                if schema:
                    use.use_schema(context, auth.folded(database), auth.folded(schema))

    def _seed(self) -> None:
        """Fill a new account with the system roles and what they may do; ACCOUNTADMIN may do all in every account."""
        with self.catalog.change():
            if self.catalog.find("ROLE", ("ACCOUNTADMIN",)) is None:
                for role in SYSTEM_ROLES:
                    self.catalog.create("ROLE", (role,), "")
                for role, parent in _HIERARCHY:
                    self.catalog.grant_role(RoleGrant(role, "ROLE", parent, ""))
                for role, privileges in _SYSTEM_PRIVILEGES.items():
                    for privilege in privileges:
                        self.catalog.grant(Grant(privilege, "ACCOUNT", ACCOUNT, role, ""))
            if self.catalog.find("DATABASE", SHARED) is None:
                self.catalog.create("DATABASE", SHARED, "", {"SHARED": True})
                self.catalog.grant(Grant("USAGE", "DATABASE", SHARED, "ACCOUNTADMIN", ""))
            for privilege in PRIVILEGES["ACCOUNT"]:
                self.catalog.grant(Grant(privilege, "ACCOUNT", ACCOUNT, "ACCOUNTADMIN", ""))

    def _reconcile(self) -> None:
        """Open the databases, and mend what a kill between the data and the catalogue left."""
        for database in self.catalog.all("DATABASE"):
            if database.name != SHARED:
                self.engine.attach(database.name[0])
        present = self.engine.contents()
        with self.catalog.change():
            for kind in ("SCHEMA", "TABLE", "VIEW"):
                for known in self.catalog.all(kind):
                    temporary = known.properties.get("TABLE_KIND") == "TEMPORARY"
                    if present.get(known.name) != kind or temporary:
                        log.warning("%s %s is gone", kind.lower(), names.show(known.name))
                        self.catalog.remove(kind, known.name)
                        if temporary and kind != "SCHEMA":
                            self.engine.drop_relation(kind, known.name)
                            present.pop(known.name, None)
            for name, kind in sorted(present.items(), key=lambda item: len(item[0])):
                if self.catalog.find(kind, name) is None:
                    log.warning("%s %s was not in the catalogue", kind.lower(), names.show(name))
                    parent = self.catalog.find("SCHEMA", name[:2]) or self.catalog.get("DATABASE", name[:1])
                    self.catalog.create(kind, name, parent.owner)
