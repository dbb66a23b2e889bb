"""Small pieces of HTML; everything that comes from the account is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

Html = str


def text(value: object) -> Html:
    """Escape a value; None is shown as a dash."""
    return '<span class="none">&ndash;</span>' if value is None or value == "" else escape(str(value))


def tag(label: object, kind: str = "") -> Html:
    """A small label; `kind` is one of good, bad, calm."""
    return f'<span class="tag {kind}">{text(label)}</span>'


def table(heads: Sequence[str], rows: Iterable[Sequence[Html]], empty: str) -> Html:
    """A table of cells that are HTML already; a head that begins with `#` is for numbers."""
    body = list(rows)
    if not body:
        return f'<p class="empty">{escape(empty)}</p>'
    numeric = [head.startswith("#") for head in heads]
    head = "".join(_cell("th", escape(h.lstrip("#")), n) for h, n in zip(heads, numeric, strict=True))
    lines = ("".join(_cell("td", c, n) for c, n in zip(row, numeric, strict=True)) for row in body)
    filled = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{filled}</tbody></table></div>'


def _cell(name: str, content: Html, numeric: bool) -> Html:
    return f'<{name} class="n">{content}</{name}>' if numeric else f"<{name}>{content}</{name}>"


def moment(seconds: float | None, now: float) -> Html:
    """A time: of today only the hour, UTC."""
    if seconds is None:
        return text(None)
    found, today = datetime.fromtimestamp(seconds, UTC), datetime.fromtimestamp(now, UTC)
    shown = found.strftime("%H:%M:%S" if found.date() == today.date() else "%d %b %H:%M")
    return f'<time datetime="{found.isoformat()}" title="{found:%Y-%m-%d %H:%M:%S} UTC">{shown}</time>'


def duration(seconds: float) -> str:
    """A duration with a unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def bar(share: float, kind: str = "") -> Html:
    """A bar that is filled to a share between 0 and 1."""
    width = max(0.0, min(1.0, share)) * 100
    return (
        f'<svg class="bar {kind}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="back" width="100" height="6"/><rect class="fill" width="{width:.1f}" height="6"/></svg>'
    )


def columns(values: Sequence[float], titles: Sequence[str]) -> Html:
    """A small chart of columns."""
    highest = max(values, default=0.0) or 1.0
    parts = []
    for position, (value, title) in enumerate(zip(values, titles, strict=True)):
        height = value / highest * 30
        parts.append(
            f'<g><title>{escape(title)}</title><rect class="back" x="{position * 5}" width="4" height="32"/>'
            f'<rect class="fill" x="{position * 5}" y="{32 - height:.1f}" width="4" height="{height:.1f}"/></g>'
        )
    return f'<svg class="columns" viewBox="0 0 {len(values) * 5} 32" role="img">{"".join(parts)}</svg>'
