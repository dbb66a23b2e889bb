"""The statements that the account itself answers; everything else is for the data plane."""

from __future__ import annotations

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.lexer import first_words
from hanger_lab.snowflake.model import SCHEMA_OBJECTS
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import DESCRIBE, Result, status, table
from hanger_lab.snowflake.session import Context
from hanger_lab.snowflake.statements import (
    account_settings,
    authentication_policy,
    database,
    database_role,
    file_format,
    grants,
    integration,
    lifecycle,
    monitor,
    network,
    role,
    schema,
    show,
    stage,
    tag,
    tagging,
    targets,
    tokens,
    use,
    user,
    warehouse,
)

_DEFINITIONS = {
    definition.kind: definition
    for definition in (
        warehouse.DEFINITION,
        role.DEFINITION,
        user.DEFINITION,
        database.DEFINITION,
        schema.DEFINITION,
        monitor.DEFINITION,
        database_role.DEFINITION,
        network.RULE,
        network.POLICY,
        authentication_policy.DEFINITION,
        tag.DEFINITION,
        integration.DEFINITION,
        stage.DEFINITION,
        file_format.DEFINITION,
    )
}
_PHRASES = {**_DEFINITIONS, "STORAGE INTEGRATION": integration.DEFINITION}
_VERBS = ("CREATE", "ALTER", "DROP", "DESC", "DESCRIBE", "SHOW", "USE", "GRANT", "REVOKE", "COMMENT", "UNDROP")
_REFUSED = (
    "ACCOUNT", "API", "APPLICATION", "AUTHENTICATION", "CATALOG", "CONNECTION", "EXTERNAL", "FAILOVER", "GIT",
    "INTEGRATION", "MANAGED", "NETWORK", "NOTIFICATION", "ORGANIZATION", "PASSWORD", "REPLICATION", "SECURITY",
    "SESSION", "SHARE", "STORAGE",
)  # fmt: skip


def run(text: str, context: Context) -> Result | None:
    """Run an account statement; None when the text is for the data plane. Raises SnowflakeError when refused."""
    words = first_words(text, 6)
    if not words or words[0] not in _VERBS or not _is_ours(words, text):
        return None
    parser = Parser(text)
    if words[0] in ("SHOW", "DESC", "DESCRIBE"):
        with context.catalog.read():
            return _run(parser, context)
    before = (context.session.role, context.session.warehouse, context.session.database, context.session.schema)
    try:
        with context.catalog.change():
            return _run(parser, context)
    except BaseException:
        session = context.session
        session.role, session.warehouse, session.database, session.schema = before
        raise


def only_reads(text: str) -> bool:
    """Whether the text is a SHOW or DESCRIBE, which may be run to learn the columns of its result."""
    return first_words(text, 1) in (["SHOW"], ["DESC"], ["DESCRIBE"])


def is_definition(text: str) -> bool:
    """Whether the text is an account statement that ends an open transaction."""
    words = first_words(text, 6)
    ending = ("CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "COMMENT")
    return bool(words) and words[0] in ending and words[:2] != ["ALTER", "SESSION"] and _is_ours(words, text)


def _is_ours(words: list[str], text: str) -> bool:
    """Tables, views, sequences and all that is temporary belong to the data plane, except for grants, tags and SHOW."""
    if words[0] == "ALTER" and words[1:2] in (["TABLE"], ["VIEW"]):
        return tagging.is_in(text)
    if words[0] in ("CREATE", "ALTER", "DROP", "DESC", "DESCRIBE"):
        rest = [w for w in words[1:] if w not in ("OR", "REPLACE", "TRANSIENT")]
        phrase = " ".join(rest)
        return any(phrase.startswith(kind) for kind in _PHRASES) or (bool(rest) and rest[0] in _REFUSED)
    return words[0] != "COMMENT" or any(kind.split()[0] in words for kind in _DEFINITIONS)


def _run(parser: Parser, context: Context) -> Result | None:
    verb = parser.word()
    if verb == "SHOW":
        return show.show(parser, context)
    if verb == "USE":
        return use.use(parser, context)
    if verb == "GRANT":
        return grants.grant(parser, context)
    if verb == "REVOKE":
        return grants.revoke(parser, context)
    if verb == "COMMENT":
        return _comment(parser, context)
    if verb == "ALTER" and parser.accept("SESSION"):
        return use.alter_session(parser, context)
    if verb == "ALTER" and parser.accept("ACCOUNT"):
        return account_settings.alter_account(parser, context)
    if verb == "ALTER" and (parser.peek("TABLE") or parser.peek("VIEW")):
        return tagging.change_relation(parser, context)
    if verb == "ALTER" and (answer := tokens.alter(parser, context)) is not None:
        return answer
    replace = verb == "CREATE" and parser.accept("OR", "REPLACE")
    parser.accept("TRANSIENT")
    phrase = parser.accept_any(_PHRASES)
    if phrase is None or verb == "UNDROP" or (verb == "CREATE" and phrase == "INTEGRATION"):
        raise errors.unsupported(" ".join(first_words(parser.text, 3)))
    definition = _PHRASES[phrase]
    kind = definition.kind
    if verb == "DROP" and kind in ("STAGE", "FILE FORMAT") and stage.is_temporary(kind, parser, context):
        return None
    if verb == "CREATE":
        return lifecycle.create(definition, parser, context, replace=replace)
    if verb == "ALTER":
        return lifecycle.alter(definition, parser, context)
    if verb == "DROP":
        return lifecycle.drop(definition, parser, context)
    return _describe(kind, parser, context)


def _describe(kind: str, parser: Parser, context: Context) -> Result:
    name = context.session.qualify(parser.name(), targets.depth_of(kind), f"DESCRIBE {kind}")
    parser.end()
    context.access.require_parents(kind, name)
    target = context.access.require_visible(kind, name)
    describe = _DEFINITIONS[kind].describe
    if describe is not None:
        return describe(context, target)
    if kind in ("DATABASE", "SCHEMA"):
        inner = ("SCHEMA",) if kind == "DATABASE" else SCHEMA_OBJECTS
        found = [o for k in inner for o in context.catalog.all(k, within=name) if context.access.sees(k, o.name)]
        return table(
            ("created_on", "name", "kind"),
            [{"created_on": o.created, "name": o.name[-1], "kind": o.kind} for o in found],
            DESCRIBE,
        )
    return table(
        ("created_on", "name", "kind"),
        [{"created_on": target.created, "name": target.name[-1], "kind": kind}],
        DESCRIBE,
    )


def _comment(parser: Parser, context: Context) -> Result | None:
    """Run COMMENT ON for account objects; None for those of the data plane."""
    quiet = parser.accept("IF", "EXISTS")
    parser.expect("ON")
    kind = parser.accept_any(_DEFINITIONS)
    if kind is None:
        return None
    name = context.session.qualify(parser.name(), targets.depth_of(kind), "COMMENT")
    parser.expect("IS")
    comment = parser.string()
    parser.end()
    if quiet and not context.access.sees(kind, name):
        return status()
    if "COMMENT" not in _DEFINITIONS[kind].known:
        raise errors.unsupported(f"COMMENT ON {kind} {names.show(name)}")
    target = context.access.require_owner(kind, name)
    target.properties["COMMENT"] = comment
    context.catalog.save(target)
    return status()
