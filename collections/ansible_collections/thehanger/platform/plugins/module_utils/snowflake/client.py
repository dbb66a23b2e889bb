# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: one login, statements, and the connector's errors in words that say what to do."""

from __future__ import annotations

import base64
import contextlib
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from .connection import Connection, check_reachable
from .credentials import KEY_PAIR
from .errors import INSUFFICIENT, SnowflakeError
from .keys import fingerprint
from .kind import Row
from .login import UNANSWERED, errno_of, login_error, message_of


@contextlib.contextmanager
def _unavailable(*names: str) -> Iterator[None]:
    """Let optional imports of these modules fail."""
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]


try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    # For stages on S3 only, and half of the time that a module takes.
    with _unavailable("boto3", "botocore"):
        import snowflake.connector as _connector
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
else:
    IMPORT_ERROR = None
    logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)

Take = Callable[[Iterable[Row]], None]
READING = ("SELECT", "WITH", "VALUES", "SHOW", "DESC", "DESCRIBE", "EXPLAIN")
# SHOW stops here without saying so.
SHOW_LIMIT = 10_000
# The session's tokens are not known (any more); the statement was not looked at.
_SESSION_GONE = (390111, 390112, 390113, 390114, 390115)
# A statement takes mostly the way to the account and back.
AT_A_TIME = 8
_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/|\(", re.DOTALL)
_KEYWORD = re.compile(r"[A-Za-z]+")


class ClosedToWritesError(SnowflakeError):
    """A statement that is no read was about to be sent by a client that only reads."""


def keyword(statement: str) -> str:
    """Return the first keyword of a statement, behind comments and parentheses, in upper case."""
    position = 0
    while match := _COMMENT.match(statement, position):
        position = match.end()
    found = _KEYWORD.match(statement, position)
    return found.group().upper() if found else ""


class Client:
    """A session with an account. Use it as a context; with `writes` false it sends nothing but reads."""

    def __init__(self, connection: Connection, tag: str, writes: bool) -> None:
        self._connection = connection
        self._tag = tag
        self._writes = writes
        self._session: Any = None
        self._renewal = threading.Lock()

    def __enter__(self) -> Client:
        """Log in."""
        self._log_in()
        return self

    def _log_in(self) -> None:
        settings = self._connection
        credential, shown = credential_of(settings)
        check_reachable(settings)
        arguments: dict[str, Any] = {
            "account": settings.account,
            "user": settings.user or None,
            "host": settings.host,
            "port": settings.port,
            "protocol": settings.protocol,
            "role": settings.role,
            "warehouse": settings.warehouse,
            "authenticator": settings.method.upper(),
            **credential,
            "login_timeout": settings.login_timeout,
            "network_timeout": settings.network_timeout,
            "socket_timeout": min(settings.login_timeout, settings.network_timeout),
            "application": "thehanger_platform",
            "session_parameters": {"QUERY_TAG": self._tag},
        }
        if settings.protocol == "http":
            arguments["no_proxy"] = settings.host
        try:
            self._session = _connector.connect(
                **{name: value for name, value in arguments.items() if value is not None}
            )
        except Exception as error:
            raise login_error(error, settings, shown) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out; what goes wrong there has no consequence."""
        with contextlib.suppress(Exception):
            self._session.close()

    def read(self, statement: str) -> list[Row]:
        """Run a statement that only reads and return its rows; raises SnowflakeError."""
        word = keyword(statement)
        if word not in READING:
            raise ClosedToWritesError(f"not a statement that only reads ({', '.join(READING)}): {statement[:200]}")
        with self._cursor(statement) as cursor:
            columns = [column[0] for column in cursor.description or []]
            names = [name.lower() for name in columns] if word in ("SHOW", "DESC", "DESCRIBE") else columns
            rows: list[Row] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if word == "SHOW" and len(rows) >= SHOW_LIMIT and " GRANTS " not in statement:
            raise SnowflakeError(f"{statement} shows {SHOW_LIMIT} objects at most, and there may be more")
        return rows

    def read_all(self, statements: Sequence[str]) -> list[list[Row]]:
        """Run statements that only read, a few at a time, and return the rows of each; raises SnowflakeError."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return list(pool.map(self.read, statements))

    def write(self, statement: str, take: Take | None = None) -> None:
        """Run a statement that changes something, and hand over what it answers; raises SnowflakeError."""
        if not self._writes:
            raise ClosedToWritesError(f"check mode sends no such statement: {statement[:200]}")
        with self._cursor(statement) as cursor:
            if take is not None:
                names = [column[0].lower() for column in cursor.description]
                take([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])

    @contextlib.contextmanager
    def _cursor(self, statement: str) -> Iterator[Any]:
        cursor = self._execute(statement)
        try:
            yield cursor
        except SnowflakeError:
            raise
        except Exception as error:
            raise statement_error(error, statement) from error
        finally:
            with contextlib.suppress(Exception):
                cursor.close()

    def _execute(self, statement: str) -> Any:
        """Send a statement, once more in a new session where the account says that it knows this one no longer."""
        session = self._session
        try:
            return _sent(session, statement)
        except Exception as error:
            if errno_of(error) not in _SESSION_GONE:
                raise statement_error(error, statement) from error
        with self._renewal:
            if self._session is session:
                self._log_in()
        try:
            return _sent(self._session, statement)
        except Exception as error:
            raise statement_error(error, statement) from error


def _sent(session: Any, statement: str) -> Any:
    cursor = session.cursor()
    try:
        return cursor.execute(statement) or cursor
    except BaseException:
        with contextlib.suppress(Exception):
            cursor.close()
        raise


def credential_of(connection: Connection) -> tuple[dict[str, Any], str]:
    """Return what the connector logs in with, and the fingerprint where that is a key; raises SnowflakeError."""
    if connection.method != KEY_PAIR:
        return dict(connection.credential), ""
    key, shown = private_key(connection)
    return {"private_key": key}, shown


def private_key(connection: Connection) -> tuple[bytes, str]:
    """Return the private key as DER, and the fingerprint of its public half; raises SnowflakeError."""
    source = connection.source
    try:
        key = serialization.load_pem_private_key(connection.key, connection.passphrase)
    except TypeError as error:
        problem = (
            "is encrypted: set private_key_passphrase"
            if connection.passphrase is None
            else ("is not encrypted, but private_key_passphrase is set")
        )
        raise SnowflakeError(f"{source} {problem}.") from error
    except Exception as error:
        problem = "the passphrase is wrong or it" if connection.passphrase else "it"
        raise SnowflakeError(f"{source}: {problem} is not a private key in PEM (PKCS #8).") from error
    if not isinstance(key, RSAPrivateKey):
        raise SnowflakeError(f"{source} is not an RSA key, which Snowflake needs.")
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return plain, fingerprint(base64.b64encode(public).decode())


def statement_error(error: Exception, statement: str) -> SnowflakeError:
    """Say which statement failed and why."""
    text, errno = message_of(error), errno_of(error)
    hint = ""
    if errno in UNANSWERED:
        hint = " No answer came, so it is not known whether it was carried out; running again finds out."
    elif errno == INSUFFICIENT:
        hint = " The role of the connection lacks the privilege; see the option role."
    return SnowflakeError(
        f"{text[:1000]}{hint} Statement: {statement[:1000]}",
        statement=statement[:1000],
        errno=errno,
        sqlstate=getattr(error, "sqlstate", None),
        query_id=getattr(error, "sfqid", None),
    )
