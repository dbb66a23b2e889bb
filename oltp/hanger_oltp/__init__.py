"""The gym's operational data, generated: the same input gives the same bytes."""

GENERATOR_VERSION = 1
"""Raised with every change of the data that the same input gives."""
