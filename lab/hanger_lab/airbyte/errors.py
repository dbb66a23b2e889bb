"""Errors: problems that the API answers, and failures of a source or destination."""

from __future__ import annotations

from typing import Any

REFERENCE = "https://reference.airbyte.com/reference/errors"


class Problem(Exception):
    """An answer of an error status, in the form of RFC 9457."""

    def __init__(self, status: int, title: str, detail: str, **data: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.data = data

    def body(self) -> dict[str, Any]:
        """Return the JSON body, the data with a message in it as Airbyte has."""
        return {
            "status": self.status,
            "type": f"{REFERENCE}#{self.title}",
            "title": self.title,
            "detail": self.detail,
            "data": self.data,
        }


class ConnectorError(Exception):
    """A source or destination cannot be reached, refuses, or has not what was asked for; safe to show."""

    def __init__(self, origin: str, message: str, *, kind: str = "system_error") -> None:
        super().__init__(message)
        self.origin = origin
        self.message = message
        self.kind = kind


class CancelledError(Exception):
    """The job was cancelled while it ran."""


def not_found(kind: str, identifier: str) -> Problem:
    """Return the problem for an object that does not exist."""
    return Problem(
        404,
        "resource-not-found",
        f"Could not find {kind} with id {identifier}.",
        resourceType=kind,
        resourceId=identifier,
    )


def bad_request(message: str) -> Problem:
    """Return the problem for a request that cannot be read."""
    return Problem(400, "bad-request", message, message=message)


def unprocessable(message: str) -> Problem:
    """Return the problem for a request that can be read but not obeyed."""
    return Problem(422, "unprocessable-entity", message, message=message)


def conflict(message: str) -> Problem:
    """Return the problem for a request that the state of the object forbids."""
    return Problem(409, "state-conflict", message, message=message)


def unauthorized(message: str = "Unauthorized") -> Problem:
    """Return the problem for missing, wrong or expired credentials."""
    return Problem(401, "unauthorized", message, message=message)


def forbidden(message: str) -> Problem:
    """Return the problem for a request that is never allowed."""
    return Problem(403, "forbidden", message, message=message)
