"""Users, roles and what they may use, as one picture.

Roles stand by their depth, users before their highest role so that no line passes behind a role, objects right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from hanger_lab.snowflake.catalog import Catalog
from hanger_lab.snowflake.web.markup import Html

_MOST_ROLES = 60
_MOST_USERS = 60
_COLUMN, _ROW, _WIDTH, _HEIGHT, _MARGIN = 203, 38, 154, 26, 6
_LETTERS = 20

Key = tuple[str, str]


@dataclass
class _Graph:
    columns: list[list[Key]] = field(default_factory=list)
    edges: dict[tuple[Key, Key], list[str]] = field(default_factory=lambda: defaultdict(list))

    def place(self) -> dict[Key, tuple[float, float]]:
        """Give every node a place; nodes are near those that they are joined with in the column before."""
        neighbours: dict[Key, list[Key]] = defaultdict(list)
        for start, end in self.edges:
            neighbours[start].append(end)
            neighbours[end].append(start)
        height = max((len(column) for column in self.columns), default=0) * _ROW
        places: dict[Key, tuple[float, float]] = {}
        for number, column in enumerate(self.columns):

            def middle(node: Key) -> tuple[float, Key]:
                known = [places[other][1] for other in neighbours[node] if other in places]
                return (sum(known) / len(known) if known else height / 2, node)

            top = (height - len(column) * _ROW) / 2
            for row, node in enumerate(sorted(column, key=middle)):
                places[node] = (_MARGIN + number * _COLUMN, _MARGIN + top + row * _ROW)
        return places


def draw(catalog: Catalog) -> Html:
    """Draw the account's users, roles and grants; large accounts are cut, and it says so."""
    graph, cut = _collect(catalog)
    places = graph.place()
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + _MARGIN
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + _MARGIN
    edges = "".join(_edge(places[a], places[b], a, b, titles) for (a, b), titles in graph.edges.items())
    nodes = "".join(_node(node, x, y) for node, (x, y) in places.items())
    note = f'<p class="empty">{escape(cut)}</p>' if cut else ""
    return (
        f'{note}<div class="scroll"><svg class="graph" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="Users, roles and objects">'
        f"<g>{edges}</g><g>{nodes}</g></svg></div>"
    )


def _collect(catalog: Catalog) -> tuple[_Graph, str]:
    given = catalog.role_grants()
    used = {g.role for g in given} | {g.to_name for g in given if g.to_kind == "ROLE"}
    names = [r.name[0] for r in catalog.all("ROLE")]
    roles = sorted(names, key=lambda name: (name not in used, name))[:_MOST_ROLES]
    users = [u.name[0] for u in catalog.all("USER")][:_MOST_USERS]
    graph = _Graph()
    shown = set(roles)
    parents: dict[str, list[str]] = defaultdict(list)
    for grant in given:
        if grant.to_kind == "ROLE" and grant.role in shown and grant.to_name in shown:
            parents[grant.role].append(grant.to_name)
    depths = {role: _depth(role, parents, frozenset()) for role in roles}
    layers: list[list[Key]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for role, depth in depths.items():
        layers[depth].append(("ROLE", role))
    objects: set[Key] = set()
    for role in roles:
        for target, title in _uses(catalog, role):
            objects.add(target)
            graph.edges[("ROLE", role), target].append(title)
    graph.columns = [[], *layers, sorted(objects)]
    for user in users:
        own = [depths[role] for role in catalog.roles_of("USER", user) if role in depths]
        graph.columns[min(own, default=0)].append(("USER", user))
    for grant in given:
        start: Key = (grant.to_kind, grant.to_name)
        if grant.role in shown and (start[1] in shown if start[0] == "ROLE" else start[1] in users):
            graph.edges[start, ("ROLE", grant.role)].append(f"{grant.to_name} has role {grant.role}")
    left = [f"{len(names) - len(roles)} roles" if len(names) > len(roles) else ""]
    left.append(f"{len(catalog.all('USER')) - len(users)} users" if len(catalog.all("USER")) > len(users) else "")
    cut = ", ".join(part for part in left if part)
    return graph, f"{cut} are not drawn." if cut else ""


def _uses(catalog: Catalog, role: str) -> Iterable[tuple[Key, str]]:
    """The warehouses and databases that a role may do something with or in, with what."""
    found: dict[Key, dict[str, None]] = defaultdict(dict)
    for grant in catalog.grants_to(role):
        if grant.kind in ("WAREHOUSE", "DATABASE"):
            found[grant.kind, grant.name[0]][grant.privilege] = None
        elif len(grant.name) > 1:
            found["DATABASE", grant.name[0]][f"{grant.privilege} on {grant.kind.lower()}s"] = None
    for kind in ("WAREHOUSE", "DATABASE"):
        for owned in catalog.all(kind):
            if owned.owner == role:
                found[kind, owned.name[0]]["OWNERSHIP"] = None
    return [(target, f"{role}: {', '.join(privileges)} on {target[1]}") for target, privileges in found.items()]


def _depth(role: str, parents: dict[str, list[str]], above: frozenset[str]) -> int:
    if role in above:
        return 0
    return max((_depth(parent, parents, above | {role}) + 1 for parent in parents.get(role, [])), default=0)


def _edge(start: tuple[float, float], end: tuple[float, float], a: Key, b: Key, titles: list[str]) -> Html:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0], end[1] + _HEIGHT / 2
    bend = max(40.0, (x2 - x1) / 2)
    kind = "use" if b[0] in ("WAREHOUSE", "DATABASE") else "role"
    return (
        f'<path class="{kind}" d="M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} '
        f'{x2:.0f} {y2:.0f}"><title>{escape("; ".join(titles))}</title></path>'
    )


def _node(node: Key, x: float, y: float) -> Html:
    kind, name = node
    shown = name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"
    return (
        f'<g class="node {kind.lower()}"><title>{escape(kind.lower())} {escape(name)}</title>'
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x + 9:.0f}" y="{y + 17:.0f}">{escape(shown)}</text></g>'
    )
