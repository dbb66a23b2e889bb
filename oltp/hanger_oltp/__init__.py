"""The operational data of a chain of climbing gyms, generated: the same input gives the same bytes."""

GENERATOR_VERSION = 2
"""Raised with every change of the data that the same input gives."""
