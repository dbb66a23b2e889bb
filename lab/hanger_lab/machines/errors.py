"""What can go wrong with machines, each with a message that says what to do."""

from __future__ import annotations


class MachinesError(Exception):
    """Base of every error of this package."""


class EngineError(MachinesError):
    """No usable Docker engine, or the engine refused."""


class NoEngineError(EngineError):
    """Nothing answers where an engine could be."""


class RangeError(MachinesError):
    """An address range that something else uses."""


class MachineError(MachinesError):
    """A machine could not be made or did not do what it was told."""


class ImageError(MachinesError):
    """A machine image could not be built."""
