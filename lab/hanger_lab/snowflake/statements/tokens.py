"""ALTER USER ... ADD | MODIFY | ROTATE | REMOVE PROGRAMMATIC ACCESS TOKEN, and SHOW USER PROGRAMMATIC ACCESS TOKENS.

Grammar, columns and limits: docs.snowflake.com/en/sql-reference/sql/alter-user-add-programmatic-access-token and the
pages beside it.
"""

from __future__ import annotations

import math
from dataclasses import replace

from hanger_lab.snowflake import access, errors, names, policies, tokens
from hanger_lab.snowflake.model import Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import Cell, Column, Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import properties as p
from hanger_lab.snowflake.tokens import Token

_VERBS = ("ADD", "MODIFY", "ROTATE", "REMOVE")
_WORDS = ("PROGRAMMATIC ACCESS TOKEN", "PAT")
_PRIVILEGE = "MODIFY PROGRAMMATIC AUTHENTICATION METHODS"
_DEFAULT_DAYS = 15
_MOST_DAYS = 365
_BYPASS = "MINS_TO_BYPASS_NETWORK_POLICY_REQUIREMENT"
_ADD = {
    "ROLE_RESTRICTION": p.identifier,
    "DAYS_TO_EXPIRY": p.integer(1, _MOST_DAYS),
    _BYPASS: p.integer(1, 1440),
    "COMMENT": p.text,
}
_MODIFY = {"DISABLED": p.boolean, _BYPASS: p.integer(1, 1440), "COMMENT": p.text}
_ROTATE = {"EXPIRE_ROTATED_TOKEN_AFTER_HOURS": p.integer(0, 24 * 365)}
_SHOWN = (
    Column("name"),
    Column("user_name"),
    Column("role_restriction"),
    Column("expires_at", "timestamp_ltz"),
    Column("status"),
    Column("comment"),
    Column("created_on", "timestamp_ltz"),
    Column("created_by"),
    Column("mins_to_bypass_network_policy_requirement", "fixed"),
    Column("rotated_to"),
)


def alter(parser: Parser, context: Context) -> Result | None:
    """Run ALTER USER about a token after ALTER; None, with nothing read, when it is about something else."""
    start = parser.position
    if not parser.accept("USER"):
        return None
    quiet = parser.accept("IF", "EXISTS")
    verb = _verb(parser)
    name: Name = (context.session.user,)
    if verb is None and not parser.done:
        name = parser.name()[-1:]
        verb = _verb(parser)
    if verb is None:
        parser.position = start
        return None
    if quiet and not context.access.sees("USER", name):
        return status()
    own = name == (context.session.user,)
    user = context.catalog.get("USER", name) if own else context.access.require_visible("USER", name)
    _require_right(context, user)
    return {"ADD": _add, "MODIFY": _modify, "ROTATE": _rotate, "REMOVE": _remove}[verb](parser, context, user)


LISTINGS = ("USER PROGRAMMATIC ACCESS TOKENS", "USER PATS")


def show(parser: Parser, context: Context) -> Result:
    """Run SHOW USER { PROGRAMMATIC ACCESS TOKENS | PATS } after these words."""
    name: Name = (context.session.user,)
    if parser.accept("FOR", "USER"):
        name = parser.name()[-1:]
    parser.end()
    own = name == (context.session.user,)
    user = context.catalog.get("USER", name) if own else context.access.require_visible("USER", name)
    _require_right(context, user)
    now = context.clock()
    shown = [t for t in tokens.of(user) if now < t.expires + tokens.SHOWN_AFTER_EXPIRY_SECONDS]
    return Result(_SHOWN, [_row(token, user, now) for token in sorted(shown, key=lambda t: t.name)], 0x4400)


def _row(token: Token, user: Securable, now: float) -> list[Cell]:
    disabled = token.disabled or user.properties.get("DISABLED") is True
    state = "EXPIRED" if now >= token.expires else "DISABLED" if disabled else "ACTIVE"
    minutes = math.ceil((token.bypass_until - now) / 60) if now < token.bypass_until else None
    return [
        token.name,
        user.name[0],
        token.role,
        token.expires,
        state,
        token.comment,
        token.created,
        token.created_by,
        minutes,
        token.rotated_to,
    ]


def _verb(parser: Parser) -> str | None:
    for verb in _VERBS:
        for words in _WORDS:
            if parser.accept(verb, *words.split()):
                return verb
    return None


def _require_right(context: Context, user: Securable) -> None:
    """People manage their own tokens; for others and for services it takes a privilege or the user's ownership."""
    if user.name[0] == context.session.user and not tokens.is_service(user):
        return
    if not context.access.holds(_PRIVILEGE, "USER", user.name):
        raise errors.insufficient("USER", names.show(user.name))


def _add(parser: Parser, context: Context, user: Securable) -> Result:
    quiet = parser.accept("IF", "NOT", "EXISTS")
    name = parser.identifier()
    given = p.checked("PROGRAMMATIC ACCESS TOKEN", parser.properties(), _ADD)
    parser.end()
    kept = tokens.of(user)
    if any(token.name == name for token in kept):
        if quiet:
            return status(f"{names.show((name,))} already exists, statement succeeded.")
        raise errors.exists(names.show((name,)))
    now = context.clock()
    _require_room(kept, now)
    role = _role(context, user, given)
    if tokens.is_service(user):
        tokens.require_policy(context.catalog, user, None, now)
    days = _days(context, user, given)
    secret, digest = tokens.new_secret()
    made = Token(
        name=name,
        digest=digest,
        role=role,
        days=days,
        created=now,
        created_by=context.session.user,
        expires=now + days * 86_400,
        bypass_until=_bypass(given, now),
        comment=str(given["COMMENT"]) if given.get("COMMENT") else None,
    )
    _keep(context, user, [*kept, made])
    return Result([Column("token_name"), Column("token_secret")], [[name, secret]])


def _modify(parser: Parser, context: Context, user: Securable) -> Result:
    found = _named(parser, user)
    if found is None:
        return status()
    kept = [token for token in tokens.of(user) if token.name != found.name]
    if found.rotated_to is not None:
        raise errors.unsupported("MODIFY of a token that was rotated")
    if parser.accept("RENAME", "TO"):
        name = parser.identifier()
        parser.end()
        if any(token.name == name for token in kept):
            raise errors.exists(names.show((name,)))
        changed = replace(found, name=name)
    elif parser.accept("UNSET"):
        removed = parser.names_list()
        parser.end()
        for key in removed:
            if key not in _MODIFY:
                raise errors.invalid_property(key, "PROGRAMMATIC ACCESS TOKEN")
        changed = replace(
            found,
            disabled=found.disabled and "DISABLED" not in removed,
            bypass_until=0.0 if _BYPASS in removed else found.bypass_until,
            comment=None if "COMMENT" in removed else found.comment,
        )
    else:
        parser.expect("SET")
        given = p.checked("PROGRAMMATIC ACCESS TOKEN", parser.properties(), _MODIFY)
        parser.end()
        if not given:
            raise parser.fail()
        changed = replace(
            found,
            disabled=given.get("DISABLED", found.disabled) is True,
            bypass_until=_bypass(given, context.clock()) if _BYPASS in given else found.bypass_until,
            comment=str(given["COMMENT"]) if given.get("COMMENT") else found.comment,
        )
    _keep(context, user, [*kept, changed])
    return status()


def _rotate(parser: Parser, context: Context, user: Securable) -> Result:
    found = _named(parser, user)
    if found is None:
        return status()
    given = p.checked("PROGRAMMATIC ACCESS TOKEN", parser.properties(), _ROTATE)
    parser.end()
    if context.session.by_token and user.name[0] == context.session.user:
        raise errors.SnowflakeError(
            3001, "42501", "SQL access control error:\nA session that a token opened cannot rotate its user's tokens."
        )
    if found.rotated_to is not None:
        raise errors.unsupported("ROTATE of a token that was rotated")
    now = context.clock()
    kept = [token for token in tokens.of(user) if token.name != found.name]
    _require_room([*kept, found], now)
    hours = given.get("EXPIRE_ROTATED_TOKEN_AFTER_HOURS", 24)
    old_name = f"{found.name}_ROTATED_{int(now * 1000)}"
    old = replace(found, name=old_name, expires=min(found.expires, now + int(str(hours)) * 3600), rotated_to=found.name)
    secret, digest = tokens.new_secret()
    made = replace(found, digest=digest, created=now, expires=now + found.days * 86_400)
    _keep(context, user, [*kept, old, made])
    columns = [Column("token_name"), Column("token_secret"), Column("rotated_token_name")]
    return Result(columns, [[made.name, secret, old_name]])


def _remove(parser: Parser, context: Context, user: Securable) -> Result:
    found = _named(parser, user)
    parser.end()
    if found is not None:
        _keep(context, user, [token for token in tokens.of(user) if token.name != found.name])
    return status()


def _named(parser: Parser, user: Securable) -> Token | None:
    """Read the name of a token; None where it is not there and IF EXISTS was written."""
    quiet = parser.accept("IF", "EXISTS")
    name = parser.identifier()
    found = next((token for token in tokens.of(user) if token.name == name), None)
    if found is None and not quiet:
        raise errors.missing("PROGRAMMATIC ACCESS TOKEN", names.show((name,)))
    return found


def _days(context: Context, user: Securable, given: Properties) -> int:
    most = policies.token_rule(context.catalog, user, "MAX_EXPIRY_IN_DAYS", None)
    usual = policies.token_rule(context.catalog, user, "DEFAULT_EXPIRY_IN_DAYS", None)
    days = given.get("DAYS_TO_EXPIRY") or usual or _DEFAULT_DAYS
    if not isinstance(days, int) or (isinstance(most, int) and days > most):
        raise errors.invalid_value(days, "DAYS_TO_EXPIRY")
    return days


def _role(context: Context, user: Securable, given: Properties) -> str | None:
    role = given.get("ROLE_RESTRICTION")
    if not isinstance(role, str):
        needed = policies.token_rule(context.catalog, user, "REQUIRE_ROLE_RESTRICTION_FOR_SERVICE_USERS", True)
        if tokens.is_service(user) and needed is True:
            raise errors.SnowflakeError(
                1420, "42601", "SQL compilation error:\nROLE_RESTRICTION is required for tokens of service users."
            )
        return None
    name = names.split(role)[0]
    if name not in access.assumable(context.catalog, user.name[0]):
        raise errors.missing("ROLE", names.show((name,)))
    return name


def _require_room(kept: list[Token], now: float) -> None:
    if sum(now < token.expires for token in kept) >= tokens.MOST_OF_A_USER:
        raise errors.SnowflakeError(
            1420, "42601", f"A user can have at most {tokens.MOST_OF_A_USER} programmatic access tokens."
        )


def _bypass(given: Properties, now: float) -> float:
    minutes = given.get(_BYPASS)
    return now + minutes * 60 if isinstance(minutes, int) else 0.0


def _keep(context: Context, user: Securable, kept: list[Token]) -> None:
    tokens.keep(user, kept)
    context.catalog.save(user)
