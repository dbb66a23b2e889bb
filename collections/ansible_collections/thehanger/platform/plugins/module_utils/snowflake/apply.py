# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of every module that changes an account: read, compare, plan, and carry the plan out."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from datetime import time as datetime_time
from decimal import Decimal
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from . import client as clients
from .arguments import CONNECTION, OBJECTS
from .client import AT_A_TIME, READING, Client, ClosedToWritesError, keyword
from .connection import read_connection
from .desired import read_options
from .errors import INSUFFICIENT, MISSING, InvalidInputError, SnowflakeError
from .export import GATHERED, USUAL, Reader, check_patterns
from .export_access import export
from .kind import Row
from .observe import observe
from .plan import plan
from .privileges import needed
from .steps import Plan, Step
from .tokens import check_files, keep_secret

# What a failed module returns of a statement.
_LONGEST = 1000


def snowflake_module(arguments: dict[str, Any], **options: Any) -> AnsibleModule:
    """Return the module with the connection's options added; ends it where the connector is missing."""
    module = AnsibleModule({**CONNECTION, **arguments}, supports_check_mode=True, **options)
    if clients.IMPORT_ERROR is not None:
        module.fail_json(
            msg=missing_required_lib("snowflake-connector-python>=4.5,<5"), exception=str(clients.IMPORT_ERROR)
        )
    return module


def open_client(module: AnsibleModule, writes: bool) -> Client:
    """Return a client for the module's connection options; raises SnowflakeError where they are wrong."""
    name = module._name.rpartition(".")[2]
    connection = read_connection(module.params, warn=module.warn)
    module.no_log_values |= connection.secrets  # those that came from a file or the environment
    return Client(connection, tag=f"thehanger.platform.{name}", writes=writes)


def apply_module(*kinds: str) -> None:
    """Run a module that manages these kinds of objects."""
    module = snowflake_module({kind: OBJECTS[kind] for kind in kinds or OBJECTS})
    try:
        result = _apply(module)
    except SnowflakeError as error:
        module.fail_json(msg=error.message, **error.details)
    # Ansible would send the whole description back, which for a large account takes longer than the plan.
    module.exit_json(**result, invocation={"module_args": {name: module.params[name] for name in CONNECTION}})


def query_module() -> None:
    """Run the module that reads."""
    module = snowflake_module({"statements": {"type": "list", "elements": "str", "required": True}})
    try:
        for index, statement in enumerate(module.params["statements"]):
            if keyword(statement) not in READING:
                raise InvalidInputError(f"statements[{index}]", f"only {', '.join(READING)} are sent")
        with open_client(module, writes=False) as client:
            results = [
                {"statement": statement, "rows": [portable(row) for row in client.read(statement)]}
                for statement in module.params["statements"]
            ]
    except SnowflakeError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, results=results, rows=results[-1]["rows"] if results else [])


def info_module() -> None:
    """Run the module that describes what there is."""
    module = snowflake_module(
        {
            "gather": {"type": "list", "elements": "str", "choices": list(GATHERED), "default": list(USUAL)},
            "patterns": {"type": "dict", "default": {}},
        }
    )
    started = time.monotonic()
    try:
        patterns = check_patterns(module.params["patterns"])
        with open_client(module, writes=False) as client:
            found = export(Reader(client.read_all), module.params["gather"], patterns)
    except SnowflakeError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=False,
        account=found.document,
        left_out=found.left_out,
        seconds=round(time.monotonic() - started, 3),
    )


def portable(row: Row) -> dict[str, Any]:
    """Return a row with values that JSON can carry."""
    return {column: _portable(value) for column, value in row.items()}


def _portable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, date | datetime_time):
        return value.isoformat()
    return value


def _apply(module: AnsibleModule) -> dict[str, Any]:
    desired = read_options({kind: module.params.get(kind) for kind in OBJECTS})
    started = time.monotonic()
    with open_client(module, writes=not module.check_mode) as client:
        observed = observe(client.read_all, desired)
        result = plan(desired, observed)
        _refuse_missing(module, result)
        planned = time.monotonic()
        if not module.check_mode:
            check_files(result.steps)
            carry_out(client, result.steps)
    return {
        "changed": bool(result.steps),
        "diff": result.differences,
        "plan": [step.summary() for step in result.steps],
        "statements": [step.statement for step in result.steps],
        **({"unlisted": result.unlisted} if desired.bundles else {}),
        **({"credits": observed.credits} if observed.credits else {}),
        "seconds": {"plan": round(planned - started, 3), "apply": round(time.monotonic() - planned, 3)},
    }


def _refuse_missing(module: AnsibleModule, result: Plan) -> None:
    """Fail before anything changes; in check mode a task before this one may be about to create what is missing."""
    if result.refused:
        raise SnowflakeError("Nothing was changed. " + "; ".join(result.refused))
    if not result.missing:
        return
    if not module.check_mode:
        raise SnowflakeError("Nothing was changed. " + "; ".join(result.missing), missing=result.missing)
    for problem in result.missing:
        module.warn(problem)


def carry_out(client: Client, steps: Iterable[Step]) -> None:
    """Run the steps in order, independent ones a few at a time; a failure says what was done and what was not."""
    waiting = list(steps)
    done: list[str] = []
    while waiting:
        batch = _independent(waiting)
        outcomes = _run(client, batch)
        done += [step.statement for step in batch if outcomes[step] == "done"]
        waiting = [step for step in batch if outcomes[step] == "waiting"] + waiting[len(batch) :]
        failed = [(step, error) for step in batch if isinstance(error := outcomes[step], SnowflakeError)]
        if failed:
            waiting = [step for step, _error in failed[1:]] + waiting
            raise _stopped(*failed[0], done, waiting)


def _run(client: Client, batch: list[Step]) -> dict[Step, SnowflakeError | str]:
    """Run steps at the same time and return what came of each; after a failure no further one begins."""
    failed = threading.Event()

    def attempt(step: Step) -> SnowflakeError | str:
        if failed.is_set():
            return "waiting"
        try:
            client.write(step.statement, functools.partial(keep_secret, step.secret_file) if step.secret_file else None)
        except ClosedToWritesError:
            raise
        except SnowflakeError as error:
            if error.details.get("errno") in _settled(step):
                return "settled"
            failed.set()
            return error
        return "done"

    if len(batch) == 1:
        return {batch[0]: attempt(batch[0])}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(batch, pool.map(attempt, batch), strict=True))


def _independent(steps: list[Step]) -> list[Step]:
    """Return the first steps that do the same to different objects, so that their order means nothing."""
    batch: list[Step] = []
    names: set[str] = set()
    for step in steps:
        if (step.action, step.kind) != (steps[0].action, steps[0].kind) or step.name in names:
            break
        batch.append(step)
        names.add(step.name)
    return batch


def _settled(step: Step) -> frozenset[int]:
    """Return the errors that say that a step is done: what should go and is not there was dropped by somebody else.

    Not so where a privilege should go: its object may only be hidden from the session's role.
    """
    return step.settled | ({MISSING} if step.action == "drop" else set())


def _stopped(step: Step, error: SnowflakeError, done: list[str], waiting: list[Step]) -> SnowflakeError:
    error.details.update(
        changed=bool(done),
        applied=[_shortened(statement) for statement in done],
        failed_statement=_shortened(step.statement),
        not_applied=[_shortened(item.statement) for item in waiting],
    )
    lacking = needed(step) if error.details.get("errno") == INSUFFICIENT else ""
    error.message = (
        f"{step.action} {step.kind} {step.name}: {f'needs {lacking}. ' if lacking else ''}{error.message} "
        f"({len(done)} of {len(done) + len(waiting) + 1} steps were applied; running again continues)"
    )
    return error


def _shortened(statement: str) -> str:
    return statement if len(statement) <= _LONGEST else f"{statement[:_LONGEST]}... ({len(statement)} characters)"
