from __future__ import annotations

import base64
import json
import time
import urllib.request
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hanger_lab.snowflake import keys
from snowflake.connector.errors import DatabaseError
from snowflake_support import ACCOUNT, Client, Key, Person, Service, unique


def refused(service: Service, **options: Any) -> int:
    with pytest.raises(DatabaseError) as caught:
        service.connect(**options)
    return int(caught.value.errno)


def test_key_pair_login_names_role_and_warehouse(service: Service, somebody: Person) -> None:
    assert somebody.client.rows("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()") == [
        (somebody.name, somebody.role, "WORK")
    ]


def test_every_bound_address_answers(service: Service) -> None:
    for host in ("127.0.0.1", "127.0.0.2"):
        with urllib.request.urlopen(f"http://{host}:{service.port}/healthz") as answer:
            assert json.load(answer)["account"] == ACCOUNT


def test_wrong_key_is_refused(service: Service, somebody: Person, second_key: Key) -> None:
    assert refused(service, user=somebody.name, key=second_key) == 390144


def test_second_key_is_accepted_and_first_one_can_be_taken_out(
    service: Service, admin: Client, somebody: Person, second_key: Key
) -> None:
    admin.run(f"ALTER USER {somebody.name} SET RSA_PUBLIC_KEY_2 = '{second_key.public}'")
    service.connect(somebody.name, second_key).close()
    admin.run(f"ALTER USER {somebody.name} UNSET RSA_PUBLIC_KEY")
    assert refused(service, user=somebody.name) == 390144


def test_unknown_user_is_refused(service: Service) -> None:
    assert refused(service, user="NOBODY") == 390144


def test_disabled_user_is_refused(service: Service, admin: Client, somebody: Person) -> None:
    admin.run(f"ALTER USER {somebody.name} SET DISABLED = TRUE")
    assert refused(service, user=somebody.name) == 390101


@pytest.mark.parametrize("role", ["NOSUCHROLE", "SYSADMIN", "ACCOUNTADMIN"])
def test_unknown_and_ungranted_roles_are_refused(service: Service, somebody: Person, role: str) -> None:
    assert refused(service, user=somebody.name, role=role) == 390189


def test_inherited_role_can_be_used(service: Service) -> None:
    connection = service.connect(role="SYSADMIN")
    assert Client(connection).value("SELECT CURRENT_ROLE()") == "SYSADMIN"
    connection.close()


def test_password_works_for_people_only(service: Service, admin: Client, somebody: Person) -> None:
    name = unique("PERSON")
    admin.run(f"CREATE USER {name} PASSWORD = 'correct horse' TYPE = PERSON")
    service.connect(name, password="correct horse").close()
    assert refused(service, user=name, password="wrong") == 390100
    assert refused(service, user=somebody.name, password="anything") == 390100
    number, message = admin.refused(f"ALTER USER {somebody.name} SET PASSWORD = 'x'")
    assert "PASSWORD" in message and number


def test_warehouse_that_may_not_be_used_is_left_out(service: Service, somebody: Person, admin: Client) -> None:
    closed = unique("WH")
    admin.run(f"CREATE WAREHOUSE {closed}")
    connection = service.connect(somebody.name, warehouse=closed)
    assert Client(connection).value("SELECT CURRENT_WAREHOUSE()") is None
    connection.close()


@pytest.mark.parametrize(
    "parameters",
    [{"TIMEZONE": "America/New_York"}, {"quoted_identifiers_ignore_case": True}, {"TIMESTAMP_TYPE_MAPPING": "X"}],
)
def test_session_parameters_of_a_login_are_checked_like_others(service: Service, parameters: dict[str, Any]) -> None:
    assert refused(service, session_parameters=parameters) == 2
    service.connect(session_parameters={"QUERY_TAG": "x", "TIMEZONE": "UTC", "CLIENT_X": "1"}, autocommit=False).close()


def token(key: Key, **changes: Any) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    now = int(time.time())
    subject = f"{ACCOUNT}.SOMEBODY"
    claims = {
        "sub": subject,
        "iss": f"{subject}.{keys.fingerprint(key.public)}",
        "iat": now,
        "exp": now + 60,
        **changes,
    }
    signed = f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}"
    loaded: Any = load_der_private_key(key.private, None)
    signature = loaded.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_token_is_checked_whole(key: Key, second_key: Key) -> None:
    def valid(text: str) -> bool:
        return keys.token_is_valid(text, ACCOUNT, "SOMEBODY", key.public)

    assert valid(token(key))
    assert not valid(token(key, exp=int(time.time()) - 1))
    assert not valid(token(key, exp=int(time.time()) + 90_000))
    assert not valid(token(key, sub=f"{ACCOUNT}.SOMEBODYELSE"))
    assert not valid(token(key, iss=f"{ACCOUNT}.SOMEBODY.SHA256:AAAA"))
    assert not valid(token(second_key))
    header, body, _ = token(key).split(".")
    assert not valid(f"{header}.{body}.")
    assert not valid("nonsense")
