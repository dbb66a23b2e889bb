"""The parameters of accounts, users, sessions and objects: defaults, checks, and from where a value is inherited.

Names, defaults and levels are those of Snowflake's page "Parameters"; TIMEZONE starts as UTC here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hanger_lab.snowflake import errors
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.parser import Properties, Value
from hanger_lab.snowflake.session import Session
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.statements.properties import Check

_SESSION = ("ACCOUNT", "USER", "SESSION")
_OBJECT = ("ACCOUNT", "DATABASE", "SCHEMA", "TABLE")
_CONTAINER = ("ACCOUNT", "DATABASE", "SCHEMA")
_WEEK = 604_800


@dataclass(frozen=True)
class Parameter:
    """One parameter: `levels` says on what it can be set, `values` which of its values are obeyed where not all are."""

    name: str
    default: str | int | float | bool
    check: Check
    levels: tuple[str, ...]
    description: str
    values: tuple[Value, ...] = ()

    @property
    def type(self) -> str:
        """The type as SHOW PARAMETERS names it."""
        if isinstance(self.default, bool):
            return "BOOLEAN"
        return "NUMBER" if isinstance(self.default, (int, float)) else "STRING"

    def checked(self, name: str, value: Value) -> Value:
        """Check a value; one that would have to change what statements do and does not is refused."""
        found = self.check(name, value)
        if self.values and found not in self.values:
            raise errors.unsupported(f"{name} = {value}")
        return found


@dataclass(frozen=True)
class Setting:
    """The value in force, and the level at which it was set; an empty level means the default."""

    value: Value
    level: str


def _flag(name: str, default: bool, levels: tuple[str, ...], description: str, *, obeyed: bool = True) -> Parameter:
    return Parameter(name, default, p.boolean, levels, description, () if obeyed else (default,))


def _number(
    name: str, default: int, bounds: tuple[int, int], levels: tuple[str, ...], description: str, *, obeyed: bool = True
) -> Parameter:
    return Parameter(name, default, p.integer(*bounds), levels, description, () if obeyed else (default,))


def _text(
    name: str,
    default: str,
    levels: tuple[str, ...],
    description: str,
    check: Check = p.text,
    values: tuple[Value, ...] = (),
) -> Parameter:
    return Parameter(name, default, check, levels, description, values)


_LOG_LEVELS = p.choice("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
_ALL = (
    _flag("ABORT_DETACHED_QUERY", False, _SESSION, "Abort queries whose client has disappeared"),
    _flag("ALLOW_CLIENT_MFA_CACHING", False, ("ACCOUNT",), "Let clients keep an MFA token"),
    _flag("ALLOW_ID_TOKEN", False, ("ACCOUNT",), "Let clients keep a token of single sign-on"),
    _flag("AUTOCOMMIT", True, _SESSION, "Commit each statement outside a transaction"),
    _text("BINARY_INPUT_FORMAT", "HEX", _SESSION, "How text is read as binary"),
    _text("BINARY_OUTPUT_FORMAT", "HEX", _SESSION, "How binary is written as text"),
    _number("CLIENT_ENCRYPTION_KEY_SIZE", 128, (128, 256), ("ACCOUNT",), "Bits of the key for PUT and GET"),
    _number("CLIENT_MEMORY_LIMIT", 1536, (64, 2**31), _SESSION, "Memory of a client for results, in MB"),
    _number("CLIENT_PREFETCH_THREADS", 4, (1, 10), _SESSION, "Threads with which a client fetches results"),
    _number("CLIENT_RESULT_CHUNK_SIZE", 160, (16, 160), _SESSION, "Largest part of a result, in MB"),
    _flag("CLIENT_SESSION_KEEP_ALIVE", False, _SESSION, "Keep the session alive while the client runs"),
    _number("CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", 3600, (900, 3600), _SESSION, "Seconds between heartbeats"),
    _number("DATA_RETENTION_TIME_IN_DAYS", 1, (0, 90), _OBJECT, "Days for which Time Travel keeps what was changed"),
    _text("DATE_INPUT_FORMAT", "AUTO", _SESSION, "How text is read as a date"),
    _text("DATE_OUTPUT_FORMAT", "YYYY-MM-DD", _SESSION, "How a date is written as text"),
    _text("DEFAULT_DDL_COLLATION", "", _OBJECT, "Collation of columns that name none"),
    _flag("ENABLE_UNREDACTED_QUERY_SYNTAX_ERROR", False, ("ACCOUNT", "USER"), "Show the text of refused statements"),
    _flag("ERROR_ON_NONDETERMINISTIC_MERGE", True, _SESSION, "Refuse a MERGE that meets a row more than once"),
    _flag("ERROR_ON_NONDETERMINISTIC_UPDATE", False, _SESSION, "Refuse an UPDATE that meets a row more than once",
          obeyed=False),
    _number("JSON_INDENT", 2, (0, 16), _SESSION, "Blanks for each level of JSON"),
    _number("LOCK_TIMEOUT", 43_200, (0, 2**31), _SESSION, "Seconds to wait for a lock"),
    _text("LOG_LEVEL", "OFF", ("ACCOUNT", "USER", "SESSION", "DATABASE", "SCHEMA"), "Least severity that is logged",
          _LOG_LEVELS),
    _number("MAX_CONCURRENCY_LEVEL", 8, (1, 32), ("ACCOUNT", "WAREHOUSE"), "Statements that run at once"),
    _number("MAX_DATA_EXTENSION_TIME_IN_DAYS", 14, (0, 90), _OBJECT, "Days by which retention may be extended"),
    _number("MIN_DATA_RETENTION_TIME_IN_DAYS", 0, (0, 90), ("ACCOUNT",), "Least retention for every object",
            obeyed=False),
    _number("MULTI_STATEMENT_COUNT", 1, (0, 2**31), _SESSION, "Statements in one request; 0 means any number"),
    _text("NETWORK_POLICY", "", ("ACCOUNT", "USER"), "Network policy assigned for the given target", p.identifier),
    _flag("PERIODIC_DATA_REKEYING", False, ("ACCOUNT",), "Encrypt data anew every year"),
    _flag("PIPE_EXECUTION_PAUSED", False, _CONTAINER, "Hold all pipes"),
    _flag("PREVENT_LOAD_FROM_INLINE_URL", False, ("ACCOUNT",), "Refuse COPY from an address", obeyed=False),
    _flag("PREVENT_UNLOAD_TO_INLINE_URL", False, ("ACCOUNT",), "Refuse COPY to an address", obeyed=False),
    _flag("PREVENT_UNLOAD_TO_INTERNAL_STAGES", False, ("ACCOUNT", "USER"), "Refuse COPY to internal stages",
          obeyed=False),
    _text("QUERY_TAG", "", _SESSION, "String (up to 2000 characters) used to tag statements executed by the session"),
    _flag("QUOTED_IDENTIFIERS_IGNORE_CASE", False, _SESSION, "Fold quoted names as well", obeyed=False),
    _flag("REQUIRE_STORAGE_INTEGRATION_FOR_STAGE_CREATION", False, ("ACCOUNT",), "Refuse external stages without one"),
    _number("ROWS_PER_RESULTSET", 0, (0, 2**31), _SESSION, "Most rows of a result; 0 means all", obeyed=False),
    _flag("SSO_LOGIN_PAGE", False, ("ACCOUNT",), "Start with single sign-on", obeyed=False),
    _number("STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", 0, (0, _WEEK), (*_SESSION, "WAREHOUSE"),
            "Timeout in seconds for queued statements: statements will automatically be canceled if they are queued on "
            "a warehouse for longer than this amount of time; disabled if set to zero."),
    _number("STATEMENT_TIMEOUT_IN_SECONDS", 172_800, (0, _WEEK), (*_SESSION, "WAREHOUSE"),
            "Timeout in seconds for statements: statements are automatically canceled if they run for longer; if set "
            "to zero, max value (604800) is enforced."),
    _flag("STRICT_JSON_OUTPUT", False, _SESSION, "Write JSON without extensions", obeyed=False),
    _number("SUSPEND_TASK_AFTER_NUM_FAILURES", 10, (0, 2**31), _CONTAINER, "Failures after which a task is suspended"),
    _number("TASK_AUTO_RETRY_ATTEMPTS", 0, (0, 30), _CONTAINER, "Attempts to run a failed graph of tasks again"),
    _text("TIMESTAMP_INPUT_FORMAT", "AUTO", _SESSION, "How text is read as a timestamp"),
    _text("TIMESTAMP_LTZ_OUTPUT_FORMAT", "", _SESSION, "How TIMESTAMP_LTZ is written as text"),
    _text("TIMESTAMP_NTZ_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF3", _SESSION, "How TIMESTAMP_NTZ is written"),
    _text("TIMESTAMP_OUTPUT_FORMAT", "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM", _SESSION, "How TIMESTAMP is written as text"),
    _text("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ", _SESSION, "What TIMESTAMP means", values=("TIMESTAMP_NTZ",)),
    _text("TIMESTAMP_TZ_OUTPUT_FORMAT", "", _SESSION, "How TIMESTAMP_TZ is written as text"),
    _text("TIMEZONE", "Etc/UTC", _SESSION, "Time zone of the session", values=("UTC", "Etc/UTC")),
    _text("TIME_INPUT_FORMAT", "AUTO", _SESSION, "How text is read as a time"),
    _text("TIME_OUTPUT_FORMAT", "HH24:MI:SS", _SESSION, "How a time is written as text"),
    _text("TRACE_LEVEL", "OFF", ("ACCOUNT", "USER", "SESSION", "DATABASE", "SCHEMA"), "Which spans are traced",
          p.choice("ALWAYS", "ON_EVENT", "PROPAGATE", "OFF")),
    _flag("TRANSACTION_ABORT_ON_ERROR", False, _SESSION, "End a transaction with its first failure"),
    _text("TRANSACTION_DEFAULT_ISOLATION_LEVEL", "READ COMMITTED", _SESSION, "Isolation of transactions",
          values=("READ COMMITTED",)),
    _number("TWO_DIGIT_CENTURY_START", 1970, (1900, 2100), _SESSION, "First year meant by two digits", obeyed=False),
    _text("UNSUPPORTED_DDL_ACTION", "ignore", _SESSION, "What to do with clauses that have no effect",
          values=("ignore",)),
    _number("USER_TASK_TIMEOUT_MS", 3_600_000, (0, _WEEK * 1000), _CONTAINER, "Longest run of a task, in milliseconds"),
    _flag("USE_CACHED_RESULT", True, _SESSION, "Answer a repeated query from its last result"),
    _number("WEEK_OF_YEAR_POLICY", 0, (0, 1), _SESSION, "How weeks are counted", obeyed=False),
    _number("WEEK_START", 0, (0, 7), _SESSION, "First day of the week"),
)  # fmt: skip
PARAMETERS = {parameter.name: parameter for parameter in _ALL}


def at(level: str) -> dict[str, Parameter]:
    """List the parameters that can be set on an account, user, session, or kind of object."""
    return {name: parameter for name, parameter in PARAMETERS.items() if level in parameter.levels}


def checks(level: str) -> dict[str, Check]:
    """Collect the checks of these parameters, as a kind of object has them among its properties."""
    return {name: parameter.checked for name, parameter in at(level).items()}


def effective(catalog: Catalog, found: Securable, name: str) -> Setting:
    """Find the value of an object's parameter: its own, or that of what contains it, or the account's."""
    return _first(name, [(found.kind, found.properties), *_above(catalog, found)])


def in_account(catalog: Catalog, name: str) -> Setting:
    """Find the value of a parameter of the account."""
    return _first(name, [("ACCOUNT", catalog.parameters)])


def in_session(session: Session, name: str) -> Setting:
    """Find the value of a session parameter: the session's own, or what it inherited when it began."""
    if name in session.own_parameters:
        return Setting(session.parameters[name], "SESSION")
    inherited = session.inherited.get(name)
    return Setting(*inherited) if inherited is not None else Setting(PARAMETERS[name].default, "")


def inherit(session: Session, catalog: Catalog, user: Securable) -> None:
    """Give a new session the session parameters that its user and account have set."""
    for name in at("SESSION"):
        found = effective(catalog, user, name)
        if found.level:
            session.inherited[name] = (found.value, found.level)
            session.parameters[name] = found.value


def require_known(names: Iterable[str], level: str) -> None:
    """Refuse names that are no parameter of this level."""
    for name in names:
        if name not in at(level):
            raise errors.invalid_property(name, level)


def _above(catalog: Catalog, found: Securable) -> Iterator[tuple[str, Properties]]:
    if found.kind in ("TABLE", "VIEW"):
        yield "SCHEMA", catalog.get("SCHEMA", found.name[:2]).properties
    if found.kind in ("TABLE", "VIEW", "SCHEMA"):
        yield "DATABASE", catalog.get("DATABASE", found.name[:1]).properties
    yield "ACCOUNT", catalog.parameters


def _first(name: str, places: Iterable[tuple[str, Properties]]) -> Setting:
    for level, properties in places:
        if properties.get(name) is not None:
            return Setting(properties[name], level)
    return Setting(PARAMETERS[name].default, "")
