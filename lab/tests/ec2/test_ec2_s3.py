"""The lab's S3: who may read and write, what stays, and what machines see of the port."""

from __future__ import annotations

import io
import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ec2_support import Start, client
from hanger_lab.config import Lab
from hanger_lab.ec2.front import MachineFront
from hanger_lab.ec2.s3.access import S3Refusal, authorize, sign
from hanger_lab.ec2.s3.actions import action
from hanger_lab.ec2.s3.callers import Callers
from hanger_lab.keys import AccessKey, ec2_key

KEY = AccessKey("LABKEY", "secret")
CALLERS = Callers(KEY, b"", lambda: iter(()))
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ODD = "i-1//home/admin/.ansible/a b+c&d.py"


def fetch(url: str, data: bytes | None = None, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def signing_client(lab: Lab, endpoint: str) -> Any:
    """Return a client whose presigned URLs have version 4 signatures, too."""
    key = ec2_key(lab.directory)
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        config=Config(signature_version="s3v4"),
    )


@pytest.fixture
def s3(ec2: Any, lab: Lab) -> Any:
    found = signing_client(lab, ec2.meta.endpoint_url)
    found.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return found


def test_objects_come_back_as_they_were_also_large_ones(s3: Any) -> None:
    content = os.urandom(9_000_000)
    s3.upload_fileobj(io.BytesIO(content), "files", ODD)
    back = io.BytesIO()
    s3.download_fileobj("files", ODD, back)
    assert back.getvalue() == content


def test_a_presigned_url_opens_one_object_one_way(s3: Any) -> None:
    s3.put_object(Bucket="files", Key=ODD, Body=b"secret")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "files", "Key": ODD}, ExpiresIn=60)
    assert fetch(url) == (200, b"secret")
    assert fetch(url.replace("Expires=60", "Expires=600"))[0] == 403
    assert fetch(url.replace("a%20b", "a%20c"))[0] == 403
    assert fetch(url, b"mine", "PUT")[0] == 403
    assert fetch(f"{s3.meta.endpoint_url}/files/{ODD.replace(' ', '%20')}")[0] in (401, 403, 404)
    upload = s3.generate_presigned_url("put_object", Params={"Bucket": "files", "Key": "new"}, ExpiresIn=60)
    assert fetch(upload, b"written", "PUT")[0] == 200
    assert s3.get_object(Bucket="files", Key="new")["Body"].read() == b"written"


@pytest.mark.parametrize(
    ("age", "expires", "accepted"), [(59, "60", True), (61, "60", False), (0, "604801", False), (-1200, "60", False)]
)
def test_a_presigned_url_ends(age: int, expires: str, accepted: bool) -> None:
    moment = (NOW - timedelta(seconds=age)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/eu-west-1/s3/aws4_request"
    query = f"X-Amz-Credential={KEY.access_key}/{scope}&X-Amz-Date={moment}&X-Amz-Expires={expires}"
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/files/x",
        "HTTP_HOST": "10.0.0.1",
        "QUERY_STRING": f"{query}&X-Amz-SignedHeaders=host",
    }
    environ["QUERY_STRING"] += f"&X-Amz-Signature={sign(environ, ['host'], moment, scope, 'UNSIGNED-PAYLOAD', KEY)}"
    if accepted:
        assert authorize(environ, b"", CALLERS.find, NOW).key == KEY
    else:
        with pytest.raises(S3Refusal):
            authorize(environ, b"", CALLERS.find, NOW)


def test_strangers_are_refused_in_s3s_words(ec2: Any, s3: Any, lab: Lab) -> None:
    own = ec2_key(lab.directory)
    for access, secret, code in (
        (own.access_key, "other", "SignatureDoesNotMatch"),
        ("OTHER", "other", "InvalidAccessKeyId"),
    ):
        stranger = client("s3", lab, ec2.meta.endpoint_url)
        stranger._request_signer._credentials.access_key = access
        stranger._request_signer._credentials.secret_key = secret
        with pytest.raises(ClientError, match=code):
            stranger.list_buckets()
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["files"]


def test_buckets_and_objects_survive_a_restart_and_nothing_else_does(start: Start, lab: Lab) -> None:
    s3 = client("s3", lab, start().meta.endpoint_url)
    s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("kept", "deleted"):
        s3.put_object(Bucket="files", Key=key, Body=key.encode())
    s3.delete_object(Bucket="files", Key="deleted")
    assert [path.read_bytes() for path in (lab.directory / "ec2" / "objects").iterdir()] == [b"kept"]
    s3 = client("s3", lab, start().meta.endpoint_url)
    assert s3.get_object(Bucket="files", Key="kept")["Body"].read() == b"kept"
    s3.delete_object(Bucket="files", Key="kept")
    s3.delete_bucket(Bucket="files")
    assert list((lab.directory / "ec2" / "objects").iterdir()) == []


def test_a_policy_that_asks_for_tls_locks_nobody_out_and_one_that_denies_does(s3: Any) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::files/*"}
    with_tls = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    for statement, allowed in ((with_tls, True), (deny, False)):
        s3.put_bucket_policy(Bucket="files", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        if allowed:
            s3.put_object(Bucket="files", Key="x", Body=b"")
        else:
            with pytest.raises(ClientError, match="403"):
                s3.put_object(Bucket="files", Key="x", Body=b"")


def test_machines_find_s3_at_the_gateway_and_nothing_else() -> None:
    class Paper:
        def owns(self, environ: dict[str, Any]) -> bool:
            return "X-Amz-Credential" in environ["QUERY_STRING"]

        def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
            start_response("200 OK", [])
            return [b"s3"]

    statuses: list[str] = []
    front = MachineFront(Paper(), lambda environ, start_response: [b"metadata"])  # type: ignore[arg-type]
    for extra in ({"QUERY_STRING": "X-Amz-Credential=x"}, {"PATH_INFO": "/healthz"}, {"PATH_INFO": "/lab/route"}):
        front({"QUERY_STRING": "", **extra}, lambda status, headers: statuses.append(status))
    assert statuses == ["200 OK", "403 Forbidden", "403 Forbidden"]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (("GET", "/", ""), "ListAllMyBuckets"),
        (("PUT", "/b", ""), "CreateBucket"),
        (("GET", "/b", "list-type=2"), "ListBucket"),
        (("PUT", "/b", "publicAccessBlock"), "PutBucketPublicAccessBlock"),
        (("DELETE", "/b", "policy"), "DeleteBucketPolicy"),
        (("DELETE", "/b", "lifecycle"), "PutLifecycleConfiguration"),
        (("POST", "/b", "delete"), "DeleteObject"),
        (("PUT", "/b/k", "X-Amz-Signature=1"), "PutObject"),
        (("DELETE", "/b/k", "uploadId=1"), "AbortMultipartUpload"),
    ],
)
def test_requests_are_written_down_as_iam_spells_them(request_: tuple[str, str, str], name: str) -> None:
    assert action(*request_) == name
