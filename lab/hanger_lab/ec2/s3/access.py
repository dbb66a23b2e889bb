"""Who may call the lab's S3: whoever signed with a known key, in a header or, for a while, in the query of a URL."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from hanger_lab.ec2.access import CLOCK_SKEW, TIME_FORMAT
from hanger_lab.ec2.s3.callers import Caller
from hanger_lab.keys import AccessKey

Environ = dict[str, Any]
LONGEST = timedelta(days=7)
UNSIGNED = "UNSIGNED-PAYLOAD"
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+), ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<scope>\d{8}/[^/]+/s3/aws4_request)")
_MOMENT = re.compile(r"\d{8}T\d{6}Z")


@dataclass(eq=False)
class S3Refusal(Exception):
    """An answer in the shape in which S3 refuses a request."""

    code: str
    message: str
    status: str = "403 Forbidden"

    def answer(self) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and content."""
        content = f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>".encode()
        return self.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))], content


def is_for_s3(environ: Environ) -> bool:
    """Tell whether a request is signed for S3, by whomever."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    credential = query.get("X-Amz-Credential", "")
    given = _HEADER.match(environ.get("HTTP_AUTHORIZATION", ""))
    return _CREDENTIAL.fullmatch(given["credential"] if given else credential) is not None


def authorize(
    environ: Environ, body: bytes, find: Callable[[str], Caller | None], now: datetime | None = None
) -> Caller:
    """Return who signed the request; raise S3Refusal unless it is known and neither too old nor from the future."""
    now = now or datetime.now(UTC)
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    given = _HEADER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if given:
        signed = (given["credential"], given["headers"], given["signature"], environ.get("HTTP_X_AMZ_DATE", ""))
        payload = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
        token = str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
        earliest, latest = now - CLOCK_SKEW, now + CLOCK_SKEW
        if re.fullmatch("[0-9a-f]{64}", payload) and payload != sha256(body).hexdigest():
            raise S3Refusal("XAmzContentSHA256Mismatch", "the body is not the one that was signed", "400 Bad Request")
    else:
        words = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
        signed = tuple(query.get(word, "") for word in words)
        payload, token = UNSIGNED, query.get("X-Amz-Security-Token", "")
        earliest, latest = now - _lifetime(query.get("X-Amz-Expires", "")), now + CLOCK_SKEW
    credential, headers, signature, moment = signed
    scope = _CREDENTIAL.fullmatch(credential)
    if scope is None or not _MOMENT.fullmatch(moment) or "host" not in headers.split(";"):
        raise S3Refusal("AccessDenied", "the request carries no version 4 signature for S3")
    caller = find(scope["key"])
    if caller is None:
        raise S3Refusal(
            "InvalidAccessKeyId", "neither the access key of this lab, see lab.json, nor a role's that holds"
        )
    if not caller.genuine(token):
        raise S3Refusal("InvalidToken", "the token is not the one that came with the access key", "400 Bad Request")
    genuine = sign(environ, headers.split(";"), moment, scope["scope"], payload, caller.key)
    if not hmac.compare_digest(genuine, signature):
        raise S3Refusal("SignatureDoesNotMatch", "the signature is not of the access key's secret key")
    if not earliest <= datetime.strptime(moment, TIME_FORMAT).replace(tzinfo=UTC) <= latest:
        raise S3Refusal("AccessDenied" if not given else "RequestTimeTooSkewed", "Request has expired")
    return caller


def sign(environ: Environ, headers: list[str], moment: str, scope: str, payload: str, key: AccessKey) -> str:
    """Return the signature that a request must carry."""
    path = str(environ.get("PATH_INFO", "/")).encode("latin1")
    query = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        if name != "X-Amz-Signature"
    )
    request = [
        *(str(environ["REQUEST_METHOD"]), quote(path, safe="/~")),
        "&".join(f"{name}={value}" for name, value in query),
        *(f"{name}:{' '.join(_value(environ, name).split())}" for name in sorted(headers)),
        *("", ";".join(sorted(headers)), payload),
    ]
    text = ["AWS4-HMAC-SHA256", moment, scope, sha256("\n".join(request).encode()).hexdigest()]
    secret = f"AWS4{key.secret_key}".encode()
    for word in (*scope.split("/"), "\n".join(text)):
        secret = hmac.digest(secret, word.encode(), "sha256")
    return secret.hex()


def _lifetime(seconds: str) -> timedelta:
    if not seconds.isdigit() or timedelta(seconds=int(seconds)) > LONGEST:
        raise S3Refusal("AuthorizationQueryParametersError", "X-Amz-Expires is a number of seconds, up to a week")
    return timedelta(seconds=int(seconds))


def _value(environ: Environ, name: str) -> str:
    variable = name.upper().replace("-", "_")
    return str(environ.get(variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}", ""))
