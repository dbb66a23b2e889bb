"""The page as a whole, and its sections."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from hanger_lab.snowflake import names
from hanger_lab.snowflake.account import Account
from hanger_lab.snowflake.model import SCHEMA_OBJECTS, Securable
from hanger_lab.snowflake.statements.warehouse import SIZES
from hanger_lab.snowflake.usage import billing
from hanger_lab.snowflake.usage.history import Statement
from hanger_lab.snowflake.usage.meter import identity
from hanger_lab.snowflake.web import graph
from hanger_lab.snowflake.web.markup import Html, bar, columns, duration, moment, table, tag, text

_STYLE = files(__package__).joinpath("files/style.css").read_text()
_STATEMENTS = 100
_MOST_OF_A_SCHEMA = 200
_MOST_SCHEMAS = 500
_HOURS = 24
_SECTIONS = ("Warehouses", "Monitors", "Sessions", "Objects", "Roles", "Statements")


def render(account: Account, nonce: str) -> Html:
    """Write the page; the nonce lets its style sheet through its content security policy."""
    now = account.clock()
    statements = account.history.statements()[:_STATEMENTS]
    with account.catalog.read():
        parts = [
            _facts(account, now),
            _section("Warehouses", "credits of the last 24 hours, UTC", _warehouses(account, now)),
            _section("Monitors", "", _monitors(account)),
            '<div class="pair">',
            _section("Sessions", "", _sessions(account, now)),
            _section("Objects", "", _objects(account)),
            "</div>",
            _section("Roles", "who may use what", _KEY + graph.draw(account.catalog)),
            _section("Statements", f"the latest {len(statements)}", _statements(statements, now)),
        ]
    links = "".join(f'<a href="#{name.lower()}">{name}</a>' for name in _SECTIONS)
    title = escape(account.name)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f'<style nonce="{nonce}">{_STYLE}</style></head><body><header><h1>{title}<small>emulated Snowflake account'
        f"</small></h1><nav>{links}</nav></header><main>{''.join(parts)}</main></body></html>"
    )


_KEY = (
    '<p class="key"><span class="user">user</span><span class="role">role</span>'
    '<span class="warehouse">warehouse</span><span class="database">database</span></p>'
)


def _section(name: str, note: str, body: Html) -> Html:
    small = f"<small>{escape(note)}</small>" if note else ""
    return f'<section id="{name.lower()}"><h2>{name}{small}</h2>{body}</section>'


def _facts(account: Account, now: float) -> Html:
    catalog = account.catalog
    today = now // 86_400 * 86_400
    used = sum(c.credits(today, now + 60) for c in account.meter.charges(today))
    facts = [
        (f"{used:.3f}", "credits today"),
        (len(account.sessions()), "sessions"),
        (len(catalog.all("WAREHOUSE")), "warehouses"),
        (len(catalog.all("DATABASE")), "databases"),
        (len(catalog.all("TABLE")) + len(catalog.all("VIEW")), "tables and views"),
        (len(catalog.all("USER")), "users"),
        (len(catalog.all("ROLE")), "roles"),
    ]
    return f'<ul class="facts">{"".join(f"<li><b>{value}</b>{label}</li>" for value, label in facts)}</ul>'


def _warehouses(account: Account, now: float) -> Html:
    first = now // billing.HOUR * billing.HOUR - (_HOURS - 1) * billing.HOUR
    hours = [first + number * billing.HOUR for number in range(_HOURS)]
    spent = billing.by_hour(account.meter.charges(first), first, float("inf"))
    rows = []
    for shown in account.catalog.all("WAREHOUSE"):
        given, state = shown.properties, account.meter.state(shown)
        number = identity(shown)
        values = [sum(v for (h, _, i), v in spent.items() if h == hour and i == number) for hour in hours]
        titles = [f"{h % 86_400 // 3600:02.0f}:00 {value:.4f} credits" for h, value in zip(hours, values, strict=True)]
        idle = billing.auto_suspend_of(given)
        rows.append(
            (
                text(names.show(shown.name)),
                tag(state.lower(), "good" if state == "STARTED" else ""),
                text(SIZES[str(given.get("WAREHOUSE_SIZE") or "XSMALL")]),
                text(f"{idle} s" if idle else None),
                text(given.get("RESOURCE_MONITOR")),
                columns(values, titles),
                f"{sum(values):.4f}",
            )
        )
    heads = ("Name", "State", "Size", "Suspends after", "Monitor", "By hour", "#Credits")
    return table(heads, rows, "No warehouses.")


def _monitors(account: Account) -> Html:
    rows = []
    for shown in account.catalog.all("RESOURCE MONITOR"):
        quota, used = shown.properties.get("CREDIT_QUOTA"), account.meter.used(shown)
        share = used / quota if isinstance(quota, (int, float)) else 0.0
        filled = bar(share, "bad" if share >= 1 else "") if isinstance(quota, (int, float)) else ""
        whole = account.catalog.parameters.get("RESOURCE_MONITOR") == names.show(shown.name)
        triggers = shown.properties.get("TRIGGERS")
        pairs = [t for t in triggers if isinstance(t, list)] if isinstance(triggers, list) else []
        actions = " ".join(tag(f"{t[0]} % {str(t[1]).replace('_', ' ').lower()}") for t in pairs)
        rows.append(
            (
                text(names.show(shown.name)) + (" " + tag("account") if whole else ""),
                text(str(shown.properties.get("FREQUENCY") or "MONTHLY").lower()),
                actions or text(None),
                filled,
                f"{used:.2f} of {text(quota)}",
            )
        )
    return table(("Name", "Frequency", "Triggers", "Used", "#Credits"), rows, "No resource monitors.")


def _statements(statements: list[Statement], now: float) -> Html:
    longest = max(((s.end or now) - s.start for s in statements), default=0.0) or 1.0
    rows = []
    for shown in statements:
        took = (shown.end or now) - shown.start
        kind = {"SUCCESS": "good", "RUNNING": "calm"}.get(shown.status, "bad")
        label = {"SUCCESS": "ok", "RUNNING": "runs"}.get(shown.status, shown.error_code or "failed")
        rows.append(
            (
                moment(shown.start, now),
                text(shown.user) + f'<br><span class="soft">{text(shown.role)}</span>',
                text(shown.warehouse if shown.size else None),
                _sql(shown),
                tag(label, kind),
                duration(took) + bar(took / longest),
                text(shown.rows),
            )
        )
    heads = ("Start", "User and role", "Warehouse", "Statement", "Outcome", "#Duration", "#Rows")
    return table(heads, rows, "Nothing ran yet.")


def _sql(shown: Statement) -> Html:
    line = " ".join(shown.text.split())[:160]
    why = f'<p class="why">{escape(shown.error_message)}</p>' if shown.error_message else ""
    facts = f"{shown.query_id} in session {shown.session_id}" + (f", tag {shown.tag}" if shown.tag else "")
    return (
        f'<details class="sql"><summary>{text(line)}</summary><pre>{escape(shown.text)}</pre>{why}'
        f'<p class="soft">{escape(facts)}</p></details>'
    )


def _sessions(account: Account, now: float) -> Html:
    rows = [
        (
            text(s.user) + f'<br><span class="soft">{text(s.role)}</span>',
            text(s.client) + f'<br><span class="soft">{text(s.address)}</span>',
            text(s.warehouse),
            f"{duration(max(0.0, now - s.used))} ago",
        )
        for s in sorted(account.sessions(), key=lambda s: -s.used)
    ]
    return table(("User and role", "Client", "Warehouse", "#Used"), rows, "Nobody is logged in.")


def _objects(account: Account) -> Html:
    catalog, sizes = account.catalog, account.engine.row_counts()
    databases = []
    schemas_left = _MOST_SCHEMAS
    for database in catalog.all("DATABASE"):
        schemas = catalog.all("SCHEMA", database.name)
        inner = "".join(_schema(account, schema, sizes) for schema in schemas[:schemas_left])
        more = _more(len(schemas) - schemas_left, "schemas")
        schemas_left = max(0, schemas_left - len(schemas))
        databases.append(
            f"<li><details open><summary>{text(names.show(database.name))} {_owner(database)}</summary>"
            f"<ul>{inner}{more}</ul></details></li>"
        )
    return f'<ul class="tree">{"".join(databases)}</ul>' if databases else '<p class="empty">No databases.</p>'


def _schema(account: Account, schema: Securable, sizes: dict[names.Name, int]) -> Html:
    inside = [o for kind in SCHEMA_OBJECTS for o in account.catalog.all(kind, schema.name)]
    lines = []
    for shown in inside[:_MOST_OF_A_SCHEMA]:
        rows = f" {sizes[shown.name]:,} rows" if shown.kind == "TABLE" and shown.name in sizes else ""
        name = text(names.show(shown.name[-1:]))
        lines.append(f'<li>{name} <span class="soft">{shown.kind.lower()}{rows}</span></li>')
    more = _more(len(inside) - _MOST_OF_A_SCHEMA, "objects")
    label = f'{text(names.show(schema.name[-1:]))} <span class="soft">{len(inside)}</span>'
    return f"<li><details><summary>{label}</summary><ul>{''.join(lines)}{more}</ul></details></li>"


def _owner(shown: Securable) -> Html:
    return f'<span class="soft">{text(shown.owner_name)}</span>' if shown.owner else ""


def _more(left: int, what: str) -> Html:
    return f'<li class="soft">and {left} more {what}</li>' if left > 0 else ""
