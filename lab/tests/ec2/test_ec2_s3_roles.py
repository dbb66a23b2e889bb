"""What a machine may do in the lab's S3 with the credentials of its instance's role, and how it is served over TLS."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from ec2_support import client
from hanger_lab.config import Lab
from hanger_lab.ec2.door import running_instances
from hanger_lab.ec2.metadata import role_credentials
from hanger_lab.ec2.s3.callers import resources
from hanger_lab.ec2.tls import EitherServer, authority, server_context
from hanger_lab.keys import ec2_key

TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
OWN, OTHER = "arn:aws:s3:::own", "arn:aws:s3:::other"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": OWN},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": f"{OWN}/kept/*"},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": f"{OWN}/kept/for-ever"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ],
}
As = Callable[..., Any]


@pytest.fixture
def instance(ec2: Any, lab: Lab, network: SimpleNamespace) -> Any:
    """A running instance whose role may keep objects in the bucket `own`, beside a bucket `other`."""
    endpoint = ec2.meta.endpoint_url
    iam, s3 = client("iam", lab, endpoint), client("s3", lab, endpoint)
    iam.create_role(RoleName="keeper", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="keeper", PolicyName="keep", PolicyDocument=json.dumps(POLICY))
    iam.create_instance_profile(InstanceProfileName="keeper")
    iam.add_role_to_instance_profile(InstanceProfileName="keeper", RoleName="keeper")
    for bucket in ("own", "other"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=bucket, Key="kept/for-ever", Body=b"secret")
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        SubnetId=network.subnet,
        IamInstanceProfile={"Name": "keeper"},
    )
    return next(running_instances())


@pytest.fixture
def as_machine(ec2: Any, lab: Lab, instance: Any) -> As:
    """Return a client with the credentials that the instance's metadata tell at a time."""
    secret = ec2_key(lab.directory).secret_key.encode()

    def make(now: datetime | None = None, **changes: str) -> Any:
        _, given = next(role_credentials(instance, secret, now or datetime.now(UTC)))
        given = {**given, **changes}
        return boto3.client(
            "s3",
            endpoint_url=ec2.meta.endpoint_url,
            region_name="eu-west-1",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["Token"],
        )

    return make


def test_a_machine_does_what_its_role_allows(as_machine: As) -> None:
    s3 = as_machine()
    s3.put_object(Bucket="own", Key="kept/a", Body=b"a")
    assert s3.get_object(Bucket="own", Key="kept/a")["Body"].read() == b"a"
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="own")["Contents"]] == ["kept/a", "kept/for-ever"]
    s3.delete_objects(Bucket="own", Delete={"Objects": [{"Key": "kept/a"}]})
    assert s3.list_objects_v2(Bucket="own")["KeyCount"] == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda s3: s3.get_object(Bucket="other", Key="kept/for-ever"),
        lambda s3: s3.list_objects_v2(Bucket="other"),
        lambda s3: s3.put_object(Bucket="own", Key="elsewhere", Body=b""),
        lambda s3: s3.delete_object(Bucket="own", Key="kept/for-ever"),
        lambda s3: s3.delete_objects(Bucket="own", Delete={"Objects": [{"Key": "kept/for-ever"}]}),
        lambda s3: s3.copy_object(Bucket="own", Key="kept/b", CopySource="other/kept/for-ever"),
        lambda s3: s3.delete_bucket(Bucket="own"),
        lambda s3: s3.list_buckets(),
    ],
)
def test_a_machine_is_refused_everything_else(as_machine: As, call: Callable[[Any], Any]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        call(as_machine())


def test_credentials_end_and_belong_together(as_machine: As) -> None:
    as_machine(datetime.now(UTC) - timedelta(hours=4)).list_objects_v2(Bucket="own")
    for changes, code in (
        ({"now": datetime.now(UTC) - timedelta(hours=7)}, "InvalidAccessKeyId"),
        ({"Token": "another"}, "InvalidToken"),
        ({"SecretAccessKey": "another"}, "SignatureDoesNotMatch"),
    ):
        with pytest.raises(ClientError, match=code):
            as_machine(**changes).list_objects_v2(Bucket="own")


def test_credentials_open_no_other_api(ec2: Any, lab: Lab, as_machine: As) -> None:
    given = as_machine()._request_signer._credentials
    stranger = client("ec2", lab, ec2.meta.endpoint_url)
    stranger._request_signer._credentials.access_key = given.access_key
    stranger._request_signer._credentials.secret_key = given.secret_key
    with pytest.raises(ClientError, match="AuthFailure"):
        stranger.describe_instances()


def test_what_a_request_needs() -> None:
    assert list(resources("ListAllMyBuckets", "/", b"")) == [("s3:ListAllMyBuckets", "*")]
    body = b"<Delete><Object><Key>a/b</Key></Object><Object><Key>c</Key></Object></Delete>"
    assert [arn for _, arn in resources("DeleteObject", "/own", body)] == [f"{OWN}/a/b", f"{OWN}/c"]


@contextmanager
def served(directory: Path) -> Iterator[int]:
    def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    server = EitherServer("127.0.0.1", 0, hello, tls=server_context(directory, "127.0.0.1"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_one_port_answers_with_and_without_tls(tmp_path: Path) -> None:
    with served(tmp_path) as port:
        trusting = ssl.create_default_context(cafile=str(authority(tmp_path).certificate))
        for scheme, context in (("http", None), ("https", trusting)):
            with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/", context=context, timeout=5) as answer:
                assert answer.read() == b"hello"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=5)


def test_an_answer_of_unknown_length_ends_as_it_should(tmp_path: Path) -> None:
    with served(tmp_path) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        trusting = ssl.create_default_context(cafile=str(authority(tmp_path).certificate))
        with trusting.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.endswith(b"hello")


def test_who_says_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    with (
        served(tmp_path) as port,
        socket.create_connection(("127.0.0.1", port)),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer,
    ):
        assert answer.status == 200


def test_two_who_ask_at_the_same_moment_get_one_authority(tmp_path: Path) -> None:
    for attempt in range(20):
        directory = tmp_path / str(attempt)
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _, of=directory: authority(of).certificate.read_bytes(), range(4)))
        assert len(set(made)) == 1
        key = load_pem_private_key((directory / "secrets" / "s3-ca.key").read_bytes(), None)
        assert x509.load_pem_x509_certificate(made[0]).public_key() == key.public_key()


def test_the_authority_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    first = authority(tmp_path).certificate.read_bytes()
    assert authority(tmp_path).certificate.read_bytes() == first
    assert authority(tmp_path).key.stat().st_mode & 0o077 == 0
