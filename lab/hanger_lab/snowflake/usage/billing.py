"""What a running warehouse costs, by the rules of docs.snowflake.com/en/user-guide/warehouses-overview.

Credits per hour double with every size, beginning with 1 for XSMALL. Billing is per second, but every start, and every
change to a larger size, is billed for at least a minute: the latter for what was added. Times are seconds since 1970,
rates are credits per hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hanger_lab.snowflake.parser import Properties

MINIMUM_SECONDS = 60
HOUR = 3600
_SIZES = (
    "XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE", "XXXLARGE", "X4LARGE", "X5LARGE", "X6LARGE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charge:
    """A time that is billed, at a rate, counted by a resource monitor or none."""

    warehouse: str
    warehouse_id: int
    monitor: str | None
    start: float
    end: float
    rate: float

    def credits(self, since: float, until: float) -> float:
        """The credits of the part that lies between two times."""
        return max(0.0, min(self.end, until) - max(self.start, since)) * self.rate / HOUR


@dataclass(slots=True)
class Layer:
    """Compute resources that were added at one time; they are billed until `least` at least."""

    start: float
    rate: float
    least: float


@dataclass(slots=True)
class Run:
    """A warehouse from its start to its suspension: what it is billed for, and what decides when it ends."""

    warehouse: str
    warehouse_id: int
    monitor: str | None
    auto_suspend: int
    used: float
    layers: list[Layer] = field(default_factory=list)
    stopping: bool = False

    @property
    def rate(self) -> float:
        """Credits per hour now."""
        return sum(layer.rate for layer in self.layers)

    def charges(self, until: float) -> Iterator[Charge]:
        """What is billed if the run ends now."""
        for layer in self.layers:
            yield self._charge(layer.start, max(until, layer.least), layer.rate)

    def resize(self, rate: float, now: float) -> list[Charge]:
        """Change the rate; return what is billed for resources that were given back."""
        closed: list[Charge] = []
        surplus = self.rate - rate
        if surplus < 0:
            self.layers.append(Layer(now, -surplus, now + MINIMUM_SECONDS))
        while surplus > 0:
            top = self.layers[-1]
            cut = min(top.rate, surplus)
            closed.append(self._charge(top.start, max(now, top.least), cut))
            top.rate -= cut
            surplus -= cut
            if top.rate <= 0:
                self.layers.pop()
        return closed

    def assign(self, monitor: str | None, now: float) -> list[Charge]:
        """Let another monitor count from now on; return what the one before has counted."""
        closed = [self._charge(layer.start, now, layer.rate) for layer in self.layers]
        for layer in self.layers:
            layer.start = now
        self.monitor = monitor
        return closed

    def idle_end(self) -> float | None:
        """When the warehouse suspends itself if nothing more is asked of it; None for never."""
        return self.used + self.auto_suspend if self.auto_suspend > 0 else None

    def _charge(self, start: float, end: float, rate: float) -> Charge:
        return Charge(self.warehouse, self.warehouse_id, self.monitor, start, end, rate)


def rate_of(properties: Properties) -> float:
    """Credits per hour of a warehouse: by its size, times the clusters that always run."""
    size = str(properties.get("WAREHOUSE_SIZE") or "XSMALL")
    clusters = properties.get("MIN_CLUSTER_COUNT") or 1
    return float(2 ** _SIZES.index(size) * (clusters if isinstance(clusters, int) else 1))


def auto_suspend_of(properties: Properties) -> int:
    """Idle seconds after which a warehouse suspends itself; 0 for never."""
    value = properties.get("AUTO_SUSPEND", 600)
    return value if isinstance(value, int) else 0


def by_hour(charges: Iterable[Charge], since: float, until: float) -> dict[tuple[float, str, int], float]:
    """Add up the credits of every warehouse in every whole hour: (start of the hour, name, id) -> credits."""
    found: dict[tuple[float, str, int], float] = {}
    for charge in charges:
        hour = max(charge.start, since) // HOUR * HOUR
        while hour < min(charge.end, until):
            key = (hour, charge.warehouse, charge.warehouse_id)
            found[key] = found.get(key, 0.0) + charge.credits(hour, hour + HOUR)
            hour += HOUR
    return found
