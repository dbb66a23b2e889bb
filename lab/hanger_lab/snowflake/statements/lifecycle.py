"""CREATE, ALTER and DROP, the same for every kind of account object; a Definition says what is particular.

What lies behind an object in files is made at once, and removed again if the statement fails; it is removed only when
the catalogue has forgotten the object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data.engine import Engine
from hanger_lab.snowflake.model import SYSTEM_ROLES, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import tagging
from hanger_lab.snowflake.statements.properties import Check, checked

Hook = Callable[[Context, Securable], None]


def _nothing(_: Context, __: Securable) -> None:
    pass


def _no_properties(_: Parser) -> Properties:
    return {}


def _no_action(_: Parser, __: Context, ___: Securable) -> bool:
    return False


@dataclass(frozen=True)
class Definition:
    """A kind of object: how it is created, changed and dropped."""

    kind: str
    known: Mapping[str, Check]
    authorize_create: Callable[[Context, Name], None]
    depth: int = 1
    alter_privilege: str | None = None
    clauses: Callable[[Parser], Properties] = _no_properties
    validate: Callable[[Properties], None] = lambda properties: None
    action: Callable[[Parser, Context, Securable], bool] = _no_action
    make: Callable[[Engine, Name], None] = lambda engine, name: None
    unmake: Callable[[Engine, Name], None] = lambda engine, name: None
    created: Hook = _nothing
    altered: Hook = _nothing
    dropped: Hook = _nothing
    renamed: Callable[[Context, Name, Name], None] | None = None
    stop_words: tuple[str, ...] = field(default=())
    fixed: tuple[str, ...] = ()
    resolve: Callable[[Context, Properties], Properties] = lambda context, properties: properties
    describe: Callable[[Context, Securable], Result] | None = None

    @property
    def alterable(self) -> Mapping[str, Check]:
        """The properties that ALTER may change."""
        return {name: check for name, check in self.known.items() if name not in self.fixed}

    def read(self, parser: Parser) -> Properties:
        """Read properties and the clauses that are not `NAME = value`."""
        found: Properties = {}
        while not parser.done:
            start = parser.position
            found.update(self.clauses(parser))
            found.update(parser.properties(stop=self.stop_words))
            parser.accept("WITH")
            if parser.position == start:
                raise parser.fail()
        return found


def in_schema(kind: str) -> Callable[[Context, Name], None]:
    """Make the check that the primary role may create objects of a kind in a schema."""

    def authorize(context: Context, name: Name) -> None:
        context.access.require_parents(kind, name)
        if not context.access.holds(f"CREATE {kind}", "SCHEMA", name[:2], primary_only=True):
            raise errors.insufficient("schema", names.show(name[1:2]))

    return authorize


def stay(_: Context, __: Name, ___: Name) -> None:
    """Rename an object that nothing else refers to by its name."""


def create(definition: Definition, parser: Parser, context: Context, *, replace: bool) -> Result:
    """Run CREATE after its kind was read."""
    quiet = parser.accept("IF", "NOT", "EXISTS")
    if quiet and replace:
        raise parser.fail()
    kind = definition.kind
    name = context.session.qualify(parser.name(), definition.depth, f"CREATE {kind}")
    shown = names.show(name[-1:])
    properties = checked(kind, definition.read(parser), definition.known)
    definition.validate(properties)
    definition.authorize_create(context, name)
    properties = definition.resolve(context, properties)
    present = context.catalog.find(kind, name)
    if present is not None:
        if quiet:
            return status(f"{shown} already exists, statement succeeded.")
        if not replace:
            raise errors.exists(shown)
        _remove(definition, context, present)
    if present is None:
        definition.make(context.engine, name)
        context.catalog.otherwise(lambda: definition.unmake(context.engine, name))
    else:
        context.catalog.afterwards(lambda: definition.make(context.engine, name))
    made = context.catalog.create(kind, name, context.session.role, properties)
    definition.created(context, made)
    return status(f"{errors.label_of(kind)} {shown} successfully created.")


def alter(definition: Definition, parser: Parser, context: Context) -> Result:
    """Run ALTER after its kind was read."""
    quiet = parser.accept("IF", "EXISTS")
    kind = definition.kind
    name = context.session.qualify(parser.name(), definition.depth, f"ALTER {kind}")
    if quiet and not context.access.sees(kind, name):
        return status()
    context.access.require_parents(kind, name)
    target = context.access.require_visible(kind, name)
    if tagging.comes(parser):
        return tagging.change(parser, context, target)
    if definition.action(parser, context, target):
        context.catalog.save(target)
        parser.end()
        return status()
    if parser.accept("RENAME", "TO"):
        return _rename(definition, parser, context, target)
    _require_alter(definition, context, target)
    if parser.accept("SET"):
        changes = checked(kind, definition.read(parser), definition.alterable)
        if not changes:
            raise parser.fail()
        definition.validate({**target.properties, **changes})
        target.properties = {**target.properties, **definition.resolve(context, changes)}
    elif parser.accept("UNSET"):
        removed = parser.names_list()
        parser.end()
        for key in removed:
            if key not in definition.alterable:
                raise errors.invalid_property(key, kind)
        target.properties = {k: v for k, v in target.properties.items() if k not in removed}
    else:
        raise parser.fail()
    context.catalog.save(target)
    definition.altered(context, target)
    return status()


def drop(definition: Definition, parser: Parser, context: Context) -> Result:
    """Run DROP after its kind was read."""
    quiet = parser.accept("IF", "EXISTS")
    kind = definition.kind
    name = context.session.qualify(parser.name(), definition.depth, f"DROP {kind}")
    if not parser.accept("CASCADE"):
        parser.accept("RESTRICT")
    parser.end()
    shown = names.show(name[-1:])
    if quiet and not context.access.sees(kind, name):
        return status(f"Drop statement executed successfully ({shown} already dropped).")
    _remove(definition, context, context.access.require_owner(kind, name))
    return status(f"{shown} successfully dropped.")


def _require_alter(definition: Definition, context: Context, target: Securable) -> None:
    if definition.alter_privilege is None:
        context.access.require_owner(target.kind, target.name)
    else:
        context.access.require(definition.alter_privilege, target.kind, target.name)


def _rename(definition: Definition, parser: Parser, context: Context, target: Securable) -> Result:
    kind, old = target.kind, target.name
    new = parser.name()
    parser.end()
    new = old[:-1] + new if len(new) < definition.depth else new
    context.access.require_owner(kind, old)
    if kind == "ROLE" and old[0] in SYSTEM_ROLES:
        raise errors.insufficient(kind, names.show(old))
    if context.catalog.find(kind, new) is not None:
        raise errors.exists(names.show(new))
    if definition.renamed is None or new[:-1] != old[:-1]:
        raise errors.unsupported(f"ALTER {kind} ... RENAME TO")
    definition.renamed(context, old, new)
    context.catalog.rename(kind, old, new)
    return status()


def _remove(definition: Definition, context: Context, target: Securable) -> None:
    context.access.require_owner(target.kind, target.name)
    name = target.name
    definition.dropped(context, target)
    context.catalog.remove(target.kind, name)
    context.catalog.afterwards(lambda: definition.unmake(context.engine, name))
