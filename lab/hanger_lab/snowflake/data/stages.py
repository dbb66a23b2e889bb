"""Internal stages: PUT hands out a signed address for the upload, LIST and REMOVE look at the files."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote as percent

from hanger_lab.snowflake import errors, names
from hanger_lab.snowflake.data.engine import Engine
from hanger_lab.snowflake.data.folders import folder, require_inside
from hanger_lab.snowflake.names import Name
from hanger_lab.snowflake.parser import Parser
from hanger_lab.snowflake.results import Cell, Result, table
from hanger_lab.snowflake.session import Context, Session

UPLOAD_PREFIX = "/stage-upload/"
_VALID_SECONDS = 3600
# Connector 5 uploads only to an address that says which of its headers are signed.
_SIGNED_HEADERS = "X-Goog-SignedHeaders=" + "%3B".join(
    ("host", "x-goog-if-generation-match", "x-goog-meta-encryptiondata", "x-goog-meta-matdesc",
     "x-goog-meta-sfc-digest")
)  # fmt: skip
_COMPRESSED = (".gz", ".bz2", ".br", ".zst", ".deflate", ".raw_deflate", ".parquet", ".orc", ".snappy")
_KEY = secrets.token_bytes(32)
_PUT = re.compile(
    r"""\s*PUT\s+(?:'((?:[^'\\]|\\.|'')*)'|(\S+))\s+('(?:[^']|'')*'|[^\s']\S*)\s*(.*?);?\s*$""", re.I | re.S
)


@dataclass(frozen=True)
class Location:
    """A stage, or a path inside it."""

    kind: str
    name: Name
    path: str = ""

    def folder(self, engine: Engine) -> Path:
        """The directory that holds the stage's files."""
        return directory(engine, self.name, self.kind)


def directory(engine: Engine, name: Name, kind: str = "STAGE") -> Path:
    """The directory of a stage, or of the stage that belongs to a table; no name leads from one into the other."""
    database, schema, own = (folder(part) for part in name)
    return engine.stages / database / schema / ("tables" if kind == "TABLE" else "named") / own


def read_location(text: str, session: Session) -> Location:
    """Read `@stage/path`, `@%table/path` or the same in quotes; raises for `@~` and for anything else."""
    text = text[1:-1].replace("''", "'") if text.startswith("'") else text
    match = re.match(r'@(%?)((?:(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*|%)\.?)+)(?:/(.*))?$', text, re.S)
    if match is None:
        raise errors.unsupported(f"stage {text[:60]}") if text.startswith("@~") else errors.syntax(text[:60])
    reference = match[2]
    is_table = bool(match[1]) or ".%" in reference
    try:
        name = session.qualify(names.split(reference.replace(".%", ".")), 3, "PUT")
    except ValueError:
        raise errors.syntax(text[:60]) from None
    path = match[3] or ""
    if ".." in PurePosixPath(path).parts:
        raise errors.SnowflakeError(1011, "42601", f"SQL compilation error:\ninvalid path {path!r}")
    return Location("TABLE" if is_table else "STAGE", name, path)


def require(location: Location, privilege: str, context: Context) -> None:
    """Require READ or WRITE on a stage; a table's stage takes ownership of the table."""
    with context.catalog.read():
        if location.kind == "TABLE":
            context.access.require_owner("TABLE", location.name)
        else:
            found = context.access.require(privilege, "STAGE", location.name)
            if found.properties.get("URL"):
                raise errors.unsupported(f"the files of external stage {names.show(location.name)}")


def put(text: str, context: Context, base_url: str) -> dict[str, Any]:
    """Answer PUT: the client uploads over http to the address that it reached us at."""
    match = _PUT.match(text)
    if match is None:
        raise errors.syntax("PUT")
    source = (match[1] if match[1] is not None else match[2]).replace("\\\\", "\\")
    if not source.startswith("file://"):
        raise errors.syntax(source[:60])
    location = read_location(match[3], context.session)
    require(location, "WRITE", context)
    options = _options(match[4])
    compress = options.get("AUTO_COMPRESS", True)
    file_name = _stored_name(PurePosixPath(source.replace("\\", "/")), compress=compress is not False)
    place = location.folder(context.engine) / location.path
    relative = place.relative_to(context.engine.stages).as_posix()
    return {
        "command": "UPLOAD",
        "src_locations": [source[len("file://") :]],
        "parallel": options.get("PARALLEL", 4),
        "autoCompress": compress,
        "sourceCompression": str(options.get("SOURCE_COMPRESSION", "auto_detect")).lower(),
        "overwrite": options.get("OVERWRITE", False),
        "clientShowEncryptionParameter": False,
        "encryptionMaterial": None,
        "stageInfo": {
            "locationType": "GCS",
            "location": f"{relative}/",
            "path": f"{relative}/",
            "region": "lab",
            "endPoint": None,
            "storageAccount": None,
            "isClientSideEncrypted": False,
            "creds": {},
            "presignedUrl": f"{base_url}{UPLOAD_PREFIX}{sign(f'{relative}/{file_name}')}&{_SIGNED_HEADERS}",
        },
    }


def _stored_name(source: PurePosixPath, *, compress: bool) -> str:
    """Name the file as it arrives: compressed by the client unless its name says that it is compressed already."""
    return source.name if not compress or source.suffix.lower() in _COMPRESSED else f"{source.name}.gz"


def sign(path: str) -> str:
    """Make the signed part of an upload's address; `path` is below the stages' directory."""
    expires = int(time.time()) + _VALID_SECONDS
    return f"{percent(path)}?expires={expires}&signature={_signature(path, expires)}"


def accept_upload(engine: Engine, path: str, expires: str, signature: str) -> Path | None:
    """Return where an upload belongs, or None when its address was not signed here or has expired."""
    if not expires.isdigit() or int(expires) < time.time():
        return None
    if not hmac.compare_digest(_signature(path, int(expires)), signature):
        return None
    if any(wildcard in PurePosixPath(path).name for wildcard in "*?"):
        return None  # one address for many files: the client has to ask again with the name of each
    try:
        return require_inside(engine.stages, engine.stages / path)
    except ValueError:
        return None


def store(target: Path, content: bytes) -> None:
    """Write an uploaded file, complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".upload-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(target)


def files(location: Location, engine: Engine) -> Iterator[tuple[str, Path]]:
    """Yield the files below a location: the name inside the stage, and the path."""
    top = location.folder(engine)
    for path in sorted(top.rglob("*")) if top.is_dir() else []:
        inside = path.relative_to(top).as_posix()
        if path.is_file() and not path.name.startswith(".upload-") and inside.startswith(location.path):
            yield inside, path


def listing(text: str, context: Context) -> Result:
    """Run LIST."""
    location = _reference(text, context, "READ")
    rows: list[dict[str, Cell]] = [
        {
            "name": f"{_prefix(location)}{inside}",
            "size": path.stat().st_size,
            "md5": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
            "last_modified": formatdate(path.stat().st_mtime, usegmt=True),
        }
        for inside, path in files(location, context.engine)
    ]
    return table(("name", "size", "md5", "last_modified"), rows)


def remove(text: str, context: Context) -> Result:
    """Run REMOVE."""
    location = _reference(text, context, "WRITE")
    rows: list[dict[str, Cell]] = []
    for inside, path in list(files(location, context.engine)):
        path.unlink(missing_ok=True)
        rows.append({"name": f"{_prefix(location)}{inside}", "result": "removed"})
    return table(("name", "result"), rows)


def _reference(text: str, context: Context, privilege: str) -> Location:
    parts = text.strip().rstrip(";").split(None, 2)
    if len(parts) < 2:
        raise errors.syntax("<EOF>")
    if len(parts) > 2:
        raise errors.unsupported(parts[2][:60])
    location = read_location(parts[1], context.session)
    require(location, privilege, context)
    return location


def _prefix(location: Location) -> str:
    return f"{location.name[2].lower()}/" if location.kind == "STAGE" else ""


def _options(text: str) -> dict[str, Any]:
    parser = Parser(text)
    found = parser.properties()
    parser.end()
    for name in found:
        if name not in ("PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE"):
            raise errors.invalid_property(name, "PUT")
    return found


def _signature(path: str, expires: int) -> str:
    return hmac.new(_KEY, f"{expires} {path}".encode(), hashlib.sha256).hexdigest()
