"""Statements beyond one request: several in one text, those that run on while the client does other things.

Results are kept for a while, so that a client may ask for them by the statement's id.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pyarrow as pa

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.data import executor
from hanger_lab.snowflake.errors import SnowflakeError
from hanger_lab.snowflake.lexer import Kind, tokenize
from hanger_lab.snowflake.results import Column
from hanger_lab.snowflake.session import Session

MULTIPLE = 0xA000
_MOST_QUERIES = 512
_MOST_BYTES = 256 * 2**20
log = logging.getLogger(__name__)


@dataclass
class Query:
    """A statement that was started: who asked, and the answer or the error when it has ended."""

    id: str
    user: str
    session: Session
    text: str
    started: float = field(default_factory=time.time)
    ended: float | None = None
    data: dict[str, Any] | None = None
    table: pa.Table | None = None
    error: SnowflakeError | None = None
    cancelled: bool = False
    part: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> str:
        """The status by the name that drivers know."""
        if not self.done.is_set():
            return "RUNNING"
        return "SUCCESS" if self.error is None else "FAILED_WITH_ERROR"

    @property
    def size(self) -> int:
        """Roughly how many bytes are kept."""
        return len((self.data or {}).get("rowsetBase64") or "") + (self.table.nbytes if self.table is not None else 0)


class Queries:
    """The statements of one account that can be asked for by their ids."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._queries: OrderedDict[str, Query] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, session: Session, request: executor.Request) -> dict[str, Any]:
        """Run one statement, or several where the request says how many; returns the `data` of the answer."""
        if request.describe_only:
            return self._account.execute(session, request)
        query = self._add(session, request)
        self._carry_out(query, request)
        if query.error is not None:
            raise query.error
        return query.data or {}

    def submit(self, session: Session, request: executor.Request, then: Callable[[], None] = lambda: None) -> Query:
        """Start a statement and return at once; `then` is called when it has ended."""
        query = self._add(session, request)

        def work() -> None:
            self._carry_out(query, request)
            then()

        threading.Thread(target=work, name=f"query-{query.id}", daemon=True).start()
        return query

    def find(self, query_id: str, user: str) -> Query | None:
        """Look up a statement of this user."""
        found = self._queries.get(query_id)
        return found if found is not None and found.user == user else None

    def cancel(self, query: Query) -> bool:
        """Interrupt a statement; returns whether it was still running."""
        if query.done.is_set():
            return False
        query.cancelled = True
        threading.Thread(target=_interrupt, args=(query,), daemon=True).start()
        return True

    def _add(self, session: Session, request: executor.Request) -> Query:
        query = Query(request.query_id, session.user, session, request.text)
        with self._lock:
            self._queries[query.id] = query
            while len(self._queries) > _MOST_QUERIES or sum(q.size for q in self._queries.values()) > _MOST_BYTES:
                oldest = next(iter(self._queries))
                if oldest == query.id:
                    break
                del self._queries[oldest]
        return query

    def _carry_out(self, query: Query, request: executor.Request) -> None:
        try:
            parts = _parts(request, query.session)
            if isinstance(parts, str):
                query.data = self._account.execute(query.session, replace(request, text=parts))
                query.table = query.session.connection.kept.find(query.id)
            else:
                query.data = self._several(query, request, parts)
        except SnowflakeError as refused:
            query.error = cancelled() if query.cancelled else refused
        except Exception as problem:
            log.exception("a statement ended without an answer")
            query.error = executor.translate(problem, request.text)
        finally:
            query.ended = time.time()
            query.done.set()

    def _several(self, query: Query, request: executor.Request, parts: list[str]) -> dict[str, Any]:
        """Run the parts one after the other up to the first that fails; each has a result of its own."""
        children = []
        for part in parts:
            one = replace(request, id="", text=part, statements=1, query_id=str(uuid.uuid4()))
            child = self._add(query.session, one)
            query.part = child.id
            if query.cancelled:
                raise cancelled()
            self._carry_out(child, one)
            if child.error is not None:
                raise child.error
            children.append(child)
        answers = [child.data or {} for child in children]
        return {
            **{key: value for key, value in answers[-1].items() if key.startswith("final") or key == "parameters"},
            "queryId": query.id,
            "rowtype": [Column("multiple statement execution").describe()],
            "rowset": [["Multiple statements executed successfully."]],
            "total": 1,
            "returned": 1,
            "queryResultFormat": "json",
            "statementTypeId": MULTIPLE,
            "resultIds": ",".join(child.id for child in children),
            "resultTypes": ",".join(str(answer.get("statementTypeId", 0)) for answer in answers),
        }


def _interrupt(query: Query) -> None:
    """Interrupt a statement until it has ended: it may not have reached the database yet, or wait for another."""
    connection = query.session.connection
    while not query.done.wait(0.05):
        if connection.statement in (query.id, query.part):
            with contextlib.suppress(duckdb.Error):
                connection.duck.interrupt()


def cancelled() -> SnowflakeError:
    """Say that a statement was interrupted on request."""
    return SnowflakeError(604, "57014", "SQL execution canceled")


def split(text: str) -> list[str]:
    """Split a text into statements at semicolons outside of quotes and comments; empty ones are left out."""
    ends = [token.start for token in tokenize(text) if token.kind is Kind.SYMBOL and token.value == ";"]
    starts = [0, *(end + 1 for end in ends)]
    parts = [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True)]
    return [part[: tokens[-1].end].strip() for part in parts if (tokens := tokenize(part))]


def _parts(request: executor.Request, session: Session) -> str | list[str]:
    """Return the statements where there may be several, else the text of the one. The number must be right."""
    wanted = request.statements
    if wanted is None:
        given = session.parameters.get("MULTI_STATEMENT_COUNT", 1)
        wanted = given if isinstance(given, int) else 1
    if wanted == 1 and ";" not in request.text.rstrip().rstrip(";"):
        return request.text
    parts = split(request.text)
    if wanted == 1 and len(parts) <= 1:
        return parts[0] if parts else request.text
    if wanted not in (0, len(parts)):
        raise SnowflakeError(
            8, "0A000", f"Actual statement count {len(parts)} did not match the desired statement count {wanted}."
        )
    if request.bindings:
        raise errors.unsupported("bindings of several statements in one request")
    return parts
