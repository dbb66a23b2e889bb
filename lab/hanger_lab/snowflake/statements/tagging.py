"""Tags on objects: ALTER ... SET TAG and UNSET TAG, and what SYSTEM$GET_TAG reads.

An object keeps its tags as pairs of a tag's full name and a value; what contains an object gives it its tags.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hanger_lab.snowflake import errors, names, policies
from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.lexer import tokenize
from hanger_lab.snowflake.model import ACCOUNT, PRIVILEGES, Securable
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser, Properties, Value
from hanger_lab.snowflake.results import Result, status
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import targets

_KEY = "TAGS"
_LONGEST = 256
Tags = dict[Name, str]


def comes(parser: Parser) -> bool:
    """Whether SET TAG or UNSET TAG comes next."""
    return parser.peek("SET", "TAG") or parser.peek("UNSET", "TAG")


def is_in(text: str) -> bool:
    """Whether SET TAG or UNSET TAG stands anywhere in a statement outside names and literals."""
    try:
        words = [token.keyword for token in tokenize(text)]
    except errors.SnowflakeError:
        return False
    return any(pair in (("SET", "TAG"), ("UNSET", "TAG")) for pair in pairwise(words))


def change(parser: Parser, context: Context, target: Securable) -> Result:
    """Run SET TAG or UNSET TAG on an object."""
    kept = _changed(parser, context, target.properties, lambda tag: _require_apply(context, tag, target))
    target.properties = {**target.properties, _KEY: kept}
    context.catalog.save(target)
    return status()


def change_account(parser: Parser, context: Context) -> Result:
    """Run SET TAG or UNSET TAG on the account."""
    parameters = dict(context.catalog.parameters)
    kept = _changed(parser, context, parameters, lambda tag: _require_apply(context, tag, None))
    context.catalog.set_parameters({**parameters, _KEY: kept})
    return status()


def change_relation(parser: Parser, context: Context) -> Result:
    """Run ALTER TABLE | VIEW ... SET TAG | UNSET TAG after ALTER."""
    if not parser.accept("TABLE"):
        parser.expect("VIEW")
    quiet = parser.accept("IF", "EXISTS")
    name = context.session.qualify(parser.name(), 3, "ALTER TABLE")
    context.access.require_parents("TABLE", name)
    found = context.catalog.relation(name)
    if found is None or not context.access.sees(found.kind, name):
        if quiet:
            return status()
        raise errors.missing("TABLE", names.show(name))
    if not comes(parser):
        raise errors.unsupported("a tag on a column")
    return change(parser, context, found)


def of(properties: Properties) -> Tags:
    """Read the tags out of an object's properties."""
    kept = properties.get(_KEY)
    pairs = kept if isinstance(kept, list) else []
    return {policies.as_name(pair[0]): str(pair[1]) for pair in pairs if isinstance(pair, list)}


def forget(catalog: Catalog, prefix: Name) -> None:
    """Take a tag, or all tags of a schema or database, off everything."""
    _rewrite(catalog, lambda tags: {tag: value for tag, value in tags.items() if tag[: len(prefix)] != prefix})


def rename(catalog: Catalog, old: Name, new: Name) -> None:
    """Let what has a tag follow the tag's name."""
    _rewrite(catalog, lambda tags: {(new if tag == old else tag): value for tag, value in tags.items()})


def value_of(context: Context, tag_text: str, name_text: str, domain: str) -> str | None:
    """Answer SYSTEM$GET_TAG: the value of a tag on an object or on the nearest thing that contains it, or None."""
    access, session = context.access, context.session
    tag = session.qualify(_split(tag_text), 3, "SYSTEM$GET_TAG")
    access.require_parents("TAG", tag)
    access.require_visible("TAG", tag)
    kind = domain.strip().upper().replace("_", " ")
    if kind == "ACCOUNT":
        return of(context.catalog.parameters).get(tag)
    if kind not in PRIVILEGES:
        raise errors.unsupported(f"SYSTEM$GET_TAG for {domain}")
    name = session.qualify(_split(name_text), targets.depth_of(kind), "SYSTEM$GET_TAG")
    relation = context.catalog.relation(name) if kind in ("TABLE", "VIEW") else None
    kind = relation.kind if relation is not None else kind
    access.require_parents(kind, name)
    target = access.require_visible(kind, name)
    for properties in (target.properties, *_above(context.catalog, name), context.catalog.parameters):
        found = of(properties).get(tag)
        if found is not None:
            return found
    return None


def _changed(
    parser: Parser, context: Context, properties: Properties, require: Callable[[Securable], None]
) -> list[Value]:
    """Read the tags that are set or unset, and return all that the object will have."""
    tags = of(properties)
    adds = parser.accept("SET")
    if not adds:
        parser.expect("UNSET")
    parser.expect("TAG")
    while True:
        name = context.session.qualify(parser.name(), 3, "ALTER")
        context.access.require_parents("TAG", name)
        tag = context.access.require_visible("TAG", name)
        require(tag)
        if adds:
            parser.expect_symbol("=")
            tags[name] = _allowed(tag, parser.string())
        else:
            tags.pop(name, None)
        if not parser.symbol(","):
            break
    parser.end()
    return [[list(name), value] for name, value in tags.items()]


def _allowed(tag: Securable, value: str) -> str:
    allowed = tag.properties.get("ALLOWED_VALUES")
    if len(value) > _LONGEST or (isinstance(allowed, list) and allowed and value not in allowed):
        raise errors.invalid_value(value, names.show(tag.name[-1:]))
    return value


def _require_apply(context: Context, tag: Securable, target: Securable | None) -> None:
    """It takes APPLY TAG on the account, or APPLY on the tag with ownership of the object."""
    access = context.access
    if access.holds("APPLY TAG", "ACCOUNT", ACCOUNT):
        return
    if not access.holds("APPLY", "TAG", tag.name):
        raise errors.insufficient("tag", names.show(tag.name[-1:]))
    if target is None:
        raise errors.insufficient("account", context.account)
    access.require_owner(target.kind, target.name)


def _above(catalog: Catalog, name: Name) -> list[Properties]:
    found = [catalog.find("SCHEMA", name[:2]) if len(name) == 3 else None]
    found.append(catalog.find("DATABASE", name[:1]) if len(name) > 1 else None)
    return [above.properties for above in found if above is not None]


def _rewrite(catalog: Catalog, change_tags: Callable[[Tags], Tags]) -> None:
    for target in catalog.everything():
        before = of(target.properties)
        after = change_tags(before)
        if after != before:
            target.properties = {**target.properties, _KEY: [[list(tag), value] for tag, value in after.items()]}
            catalog.save(target)
    before = of(catalog.parameters)
    after = change_tags(before)
    if after != before:
        catalog.set_parameters({**catalog.parameters, _KEY: [[list(tag), value] for tag, value in after.items()]})


def _split(text: str) -> Name:
    try:
        return names.split(text)
    except ValueError:
        raise errors.syntax(text[:60]) from None
