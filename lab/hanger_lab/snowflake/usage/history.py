"""The statements, log-ins and sessions of an account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fakesnow import statement_type

from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.lexer import first_words
from hanger_lab.snowflake.session import Session
from hanger_lab.snowflake.usage.masking import mask, mask_message
from hanger_lab.snowflake.usage.records import Records

_TWO_WORDS = ("CREATE", "DROP", "ALTER", "DESCRIBE", "DESC", "TRUNCATE", "BEGIN", "START", "MERGE", "UNDROP")
_TYPES = {
    "WITH": "SELECT", "VALUES": "SELECT", "DESC": "DESCRIBE", "COMMENT": "COMMENT", "START": "BEGIN_TRANSACTION",
    "BEGIN": "BEGIN_TRANSACTION", "PUT": "PUT_FILES", "GET": "GET_FILES", "LIST": "LIST_FILES", "LS": "LIST_FILES",
    "REMOVE": "REMOVE_FILES", "RM": "REMOVE_FILES", "COPY": "COPY", "TRUNCATE": "TRUNCATE_TABLE",
}  # fmt: skip


@dataclass
class Statement:
    """A statement that ran or runs: what ACCOUNT_USAGE.QUERY_HISTORY says of it. Times are seconds since 1970."""

    query_id: str
    text: str
    type: str
    session_id: int
    user: str
    role: str
    warehouse: str | None
    database: str | None
    schema: str | None
    tag: str
    start: float
    end: float | None = None
    size: str | None = None
    status: str = "RUNNING"
    error_code: str | None = None
    error_message: str | None = None
    rows: int | None = None


class History:
    """What was done, and by whom."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._running: dict[int, Statement] = {}
        self._lock = threading.Lock()

    # -- statements -------------------------------------------------------------------------------------------------

    def begin(self, session: Session, text: str, query_id: str) -> Statement:
        """Note that a statement begins."""
        made = Statement(
            query_id,
            mask(text),
            query_type(text),
            session.id,
            session.user,
            session.role,
            session.warehouse,
            session.database,
            session.schema,
            str(session.parameters.get("QUERY_TAG") or ""),
            self._clock(),
        )
        with self._lock:
            self._running[session.id] = made
        return made

    def succeed(self, statement: Statement, answer: Mapping[str, Any]) -> None:
        """Note that a statement has answered."""
        statement.query_id = answer["queryId"]
        statement.status = "SUCCESS"
        statement.rows = _rows(answer)
        self._end(statement)

    def fail(self, statement: Statement, problem: BaseException, text: str) -> None:
        """Note that a statement was refused or has failed."""
        statement.status = "FAILED_WITH_ERROR"
        if isinstance(problem, SnowflakeError):
            statement.error_code = problem.code
            statement.error_message = mask_message(problem.message, text)
        self._end(statement)

    def statements(self) -> list[Statement]:
        """Return the statements that run and those that have ended, the newest first."""
        with self._lock:
            running = list(self._running.values())
        kept = self._records.history("query")
        ended = [Statement(**{k: v for k, v in row.items() if k not in ("number", "started")}) for row in kept]
        return sorted(running, key=lambda s: -s.start) + ended

    def _end(self, statement: Statement) -> None:
        statement.end = self._clock()
        with self._lock:
            self._running.pop(statement.session_id, None)
        self._records.add("query", statement.start, asdict(statement))

    # -- log-ins and sessions ---------------------------------------------------------------------------------------

    def login(
        self, user: str, data: Mapping[str, Any], address: str, factor: str, problem: SnowflakeError | None
    ) -> int:
        """Note a log-in that succeeded or was refused; return its number."""
        document = {
            "user": user[:256],
            "address": address,
            "client": str(data.get("CLIENT_APP_ID") or "OTHER")[:64],
            "version": str(data.get("CLIENT_APP_VERSION") or "")[:64],
            "factor": factor,
            "error_code": problem.number if problem is not None else None,
            "error_message": problem.message if problem is not None else None,
        }
        return self._records.add("login", self._clock(), document)

    def open(self, session: Session, data: Mapping[str, Any], login: int, factor: str) -> None:
        """Note a new session."""
        document = {
            "session_id": session.id,
            "user": session.user,
            "login": login,
            "factor": factor,
            "client": str(data.get("CLIENT_APP_ID") or "OTHER")[:64],
            "version": str(data.get("CLIENT_APP_VERSION") or "")[:64],
            "closed_reason": None,
        }
        session.record = self._records.add("session", self._clock(), document), document

    def closed(self, session: Session, reason: str) -> None:
        """Note why a session has ended."""
        if session.record is not None:
            number, document = session.record
            self._records.replace("session", number, {**document, "closed_reason": reason})

    def logins(self) -> list[dict[str, Any]]:
        """Return the log-ins, the newest first."""
        return self._records.history("login")

    def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions, the newest first."""
        return self._records.history("session")


def query_type(text: str) -> str:
    """The type of a statement as QUERY_HISTORY has it: SELECT, CREATE_TABLE, GRANT."""
    words = [word for word in first_words(text, 8) if word not in ("OR", "REPLACE", "TRANSIENT", "TEMPORARY", "TEMP")]
    if not words:
        return "UNKNOWN"
    if words[0] in _TYPES:
        return _TYPES[words[0]]
    if words[0] in _TWO_WORDS and len(words) > 1:
        return "_".join(words[: 3 if words[1] in ("FILE", "RESOURCE", "NETWORK", "DATABASE") and _long(words) else 2])
    return words[0]


def _long(words: list[str]) -> bool:
    return len(words) > 2 and words[2] in ("FORMAT", "MONITOR", "POLICY", "RULE", "ROLE")


def _rows(answer: Mapping[str, Any]) -> int | None:
    if answer.get("statementTypeId") in statement_type.DML_TYPE_IDS:
        rowset = answer.get("rowset") or []
        return sum(int(cell) for cell in rowset[0] if cell and cell.isdigit()) if rowset else 0
    columns = [str(column["name"]).lower() for column in answer.get("rowtype") or []]
    if columns == ["status"]:
        return None
    total = answer.get("total")
    return total if isinstance(total, int) else None
