"""Who may call the lab's EC2: programs of this host that sign with the lab's own key, and no web page."""

from __future__ import annotations

import hmac
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from hanger_lab.keys import AccessKey

Environ = dict[str, Any]
SERVICES = ("ec2", "iam", "rds", "ssm", "sts")
HOSTS = ("127.0.0.1", "localhost")
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
CLOCK_SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(eq=False)
class Refusal(Exception):
    """An answer in the shape in which AWS refuses a call of a service."""

    status: str
    code: str
    message: str
    service: str = "ec2"

    def answer(self) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and content."""
        kind, error = "text/xml", f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message>"
        if self.service == "ssm":
            kind, text = "application/x-amz-json-1.1", json.dumps({"__type": self.code, "message": self.message})
        elif self.service == "ec2":
            text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
        else:
            text = f"<ErrorResponse><Error>{error}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        content = text.encode()
        return self.status, [("Content-Type", kind), ("Content-Length", str(len(content)))], content


def from_a_web_page(environ: Environ) -> bool:
    """Tell whether a browser sends this for a page: it names an origin, asks beforehand, or was led to another name."""
    host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
    return "HTTP_ORIGIN" in environ or environ["REQUEST_METHOD"] == "OPTIONS" or host.lower() not in HOSTS


def authorize(environ: Environ, body: bytes, key: AccessKey, now: datetime | None = None) -> str:
    """Return the service that a call is for; raise Refusal unless the lab's key signed it for one that exists."""
    given = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if given is None:
        service = "ssm" if "HTTP_X_AMZ_TARGET" in environ else "ec2"
        raise Refusal("401 Unauthorized", "AuthFailure", "the call carries no version 4 signature", service)
    service = given["service"]
    if not hmac.compare_digest(given["key"].encode(), key.access_key.encode()):
        raise Refusal("401 Unauthorized", "AuthFailure", "not the access key of this lab, see lab.json", service)
    if not hmac.compare_digest(_signature(environ, body, key, given), given["signature"]):
        raise Refusal("401 Unauthorized", "AuthFailure", "the signature is not of this lab's secret key", service)
    signed_at = datetime.strptime(environ["HTTP_X_AMZ_DATE"], TIME_FORMAT).replace(tzinfo=UTC)
    if abs((now or datetime.now(UTC)) - signed_at) > CLOCK_SKEW:
        raise Refusal("400 Bad Request", "RequestExpired", f"the call was signed at {signed_at}", service)
    if service not in SERVICES:
        shape = "ssm" if "HTTP_X_AMZ_TARGET" in environ else service
        message = f"the lab has no {service}: only {', '.join(SERVICES)}"
        raise Refusal("400 Bad Request", "UnsupportedOperation", message, shape)
    return service


def region_of(environ: Environ) -> str:
    """Return the region that a call was signed for; empty for one that carries no signature."""
    given = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    return given["region"] if given else ""


def _signature(environ: Environ, body: bytes, key: AccessKey, given: re.Match[str]) -> str:
    """Return the signature that the call must carry; empty when what it says of itself is not so."""
    names, moment = given["headers"].split(";"), str(environ.get("HTTP_X_AMZ_DATE", ""))
    query = environ.get("QUERY_STRING", "").split("&")
    payload = sha256(body).hexdigest()
    stated = environ.get("HTTP_X_AMZ_CONTENT_SHA256", payload)
    if stated != payload or not re.fullmatch(r"\d{8}T\d{6}Z", moment) or moment[:8] != given["date"]:
        return ""
    request = [
        *(environ["REQUEST_METHOD"], quote(environ.get("PATH_INFO", "/"), safe="/~")),
        "&".join(f"{name}={value}" for name, _, value in sorted(pair.partition("=") for pair in query if pair)),
        *(f"{name}:{' '.join(_header(environ, name).split())}" for name in sorted(names)),
        *("", ";".join(sorted(names)), payload),
    ]
    scope = [given["date"], given["region"], given["service"], "aws4_request"]
    text = ["AWS4-HMAC-SHA256", moment, "/".join(scope), sha256("\n".join(request).encode()).hexdigest()]
    secret = f"AWS4{key.secret_key}".encode()
    for word in (*scope, "\n".join(text)):
        secret = hmac.digest(secret, word.encode(), "sha256")
    return secret.hex()


def _header(environ: Environ, name: str) -> str:
    variable = name.upper().replace("-", "_")
    return str(environ.get(variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}", ""))
