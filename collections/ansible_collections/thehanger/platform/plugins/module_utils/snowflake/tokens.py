# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programmatic access tokens of users: options, plan, and the files that keep what the account tells only once.

https://docs.snowflake.com/en/user-guide/programmatic-access-tokens
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .entries import Options, name_at, path_of, present
from .errors import InvalidInputError, SnowflakeError
from .identifiers import Name, literal, quote, show
from .kind import Row
from .state import Token
from .steps import Plan, Step

_LONGEST_DAYS = 365
LISTING = "SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER {user}"


def tokens(options: Options) -> tuple[Token, ...]:
    """Return the tokens that are described; raises InvalidInputError."""
    found: dict[tuple[Name, Name], Token] = {}
    for index, item in enumerate(options.get("tokens") or []):
        path = f"tokens[{index}]"
        token = Token(
            user=name_at(f"{path}.user", item["user"], 1),
            name=name_at(f"{path}.name", item["name"], 1),
            path=path,
            file=str(path_of(item["path"])) if item.get("path") else "",
            present=present(item),
            role_restriction=name_at(f"{path}.role_restriction", item["role_restriction"], 1)
            if item.get("role_restriction")
            else None,
            days_to_expiry=_between(item, path, "days_to_expiry", 1, _LONGEST_DAYS),
            renew_days=_between(item, path, "renew_days", 0, _LONGEST_DAYS) or 0,
            comment=item.get("comment"),
        )
        if token.present and not token.file:
            raise InvalidInputError(f"{path}.path", "the account tells the secret only once; say where to keep it")
        if other := found.get((token.user, token.name)):
            raise InvalidInputError(path, f"token {show(token.name)} is described already by {other.path}")
        found[token.user, token.name] = token
    return tuple(found.values())


def _between(item: Options, path: str, option: str, low: int, high: int) -> int | None:
    value = item.get(option)
    if value is not None and not low <= value <= high:
        raise InvalidInputError(f"{path}.{option}", f"{value} is not between {low} and {high}")
    return value


def plan_tokens(wanted: Iterable[Token], known: Mapping[Name, Mapping[Name, Row]], result: Plan) -> list[Step]:
    """Add the steps for tokens that lack or end soon, and return those that remove some."""
    removed = []
    for token in wanted:
        row = known.get(token.user, {}).get(token.name)
        shown = f"{show(token.name)} of user {show(token.user)}"
        if not token.present:
            if row is not None:
                statement = f"{_of(token)} REMOVE PROGRAMMATIC ACCESS TOKEN {quote(token.name)}"
                removed.append(Step("remove", "token", shown, statement))
                result.differ("token", shown, _shown(row), None)
        elif row is None:
            result.steps.append(Step("add", "token", shown, _add(token), secret_file=token.file))
            result.differ("token", shown, None, {"path": token.file})
        else:
            _keep(token, row, shown, result)
    return removed


def _keep(token: Token, row: Row, shown: str, result: Plan) -> None:
    restriction = row.get("role_restriction") or None
    if token.role_restriction is not None and restriction != token.role_restriction[0]:
        result.refused.append(f"{token.path}.role_restriction: token {shown} is for {restriction}; remove it first")
    ends = row.get("expires_at")
    now = datetime.now(UTC)
    ending = isinstance(ends, datetime) and ends.astimezone(UTC) <= now + timedelta(days=token.renew_days)
    if ending or str(row.get("status")).upper() == "EXPIRED":
        statement = f"{_of(token)} ROTATE PROGRAMMATIC ACCESS TOKEN {quote(token.name)}"
        result.steps.append(Step("rotate", "token", shown, statement, secret_file=token.file))
        result.differ("token", shown, _shown(row), {"expires_at": "renewed"})
    elif not Path(token.file).exists():
        result.refused.append(
            f"{token.path}.path: {token.file} does not exist, and the account does not tell the secret of token "
            f"{shown} again; copy the file from where it is, or remove the token first (state: absent)"
        )
    if token.comment is not None and token.comment != (row.get("comment") or ""):
        statement = f"{_of(token)} MODIFY PROGRAMMATIC ACCESS TOKEN {quote(token.name)}"
        result.steps.append(Step("modify", "token", shown, f"{statement} SET COMMENT = {literal(token.comment)}"))
        result.differ("token", shown, {"comment": row.get("comment") or ""}, {"comment": token.comment})


def _of(token: Token) -> str:
    return f"ALTER USER {quote(token.user)}"


def _add(token: Token) -> str:
    words = [_of(token), f"ADD PROGRAMMATIC ACCESS TOKEN {quote(token.name)}"]
    if token.role_restriction is not None:
        words.append(f"ROLE_RESTRICTION = {literal(show(token.role_restriction))}")
    if token.days_to_expiry is not None:
        words.append(f"DAYS_TO_EXPIRY = {token.days_to_expiry}")
    if token.comment:
        words.append(f"COMMENT = {literal(token.comment)}")
    return " ".join(words)


def _shown(row: Row) -> dict[str, Any]:
    shown = {column: row.get(column) for column in ("status", "expires_at", "role_restriction", "comment")}
    return {column: str(value) for column, value in shown.items() if value is not None}


def check_files(steps: Iterable[Step]) -> None:
    """Fail before a token is made whose secret could not be kept; raises SnowflakeError."""
    for step in steps:
        folder = Path(step.secret_file).parent
        if step.secret_file and not os.access(folder, os.W_OK | os.X_OK):
            raise SnowflakeError(
                f"Nothing was changed. The secret of token {step.name} cannot be kept: the directory {folder} does not "
                "exist or cannot be written to."
            )


def keep_secret(file: str, rows: Iterable[Row]) -> None:
    """Write the secret of a new token, readable by its owner only; the file changes at once or not at all."""
    secret = next(str(row["token_secret"]) for row in rows)
    new = Path(f"{file}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(secret + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
