"""Lookup of the address of an instance of RDS."""

from __future__ import annotations

from typing import Any

import boto3
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
name: rds_endpoint
short_description: Read the address of an instance of RDS
description:
  - Returns the address that RDS has given to an instance, or C((not made yet)) when there is none.
author: The Hanger data platform contributors
options:
  _terms:
    description: Identifiers of instances.
    required: true
  region:
    description: AWS region.
    type: str
    required: true
  environment:
    description: Credentials and endpoint where they are not those of this process, by the names of AWS's variables.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- ansible.builtin.debug:
    msg: "{{ lookup('rds_endpoint', 'thehanger', region='eu-west-1') }}"
"""

RETURN = r"""
_raw:
  description: The addresses.
  type: list
  elements: str
"""

ABSENT = "(not made yet)"


class LookupModule(LookupBase):
    """Asks RDS for instances."""

    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> list[str]:
        """Return an address for each identifier; raise AnsibleError when RDS does not answer."""
        self.set_options(var_options=variables, direct=kwargs)
        given: dict[str, str] = self.get_option("environment")
        client = boto3.client(
            "rds",
            region_name=self.get_option("region"),
            endpoint_url=given.get("AWS_ENDPOINT_URL_RDS") or given.get("AWS_ENDPOINT_URL"),
            aws_access_key_id=given.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY"),
            config=Config(retries={"mode": "standard", "max_attempts": 5}),
        )
        return [_address(client, str(term)) for term in terms]


def _address(client: Any, identifier: str) -> str:
    try:
        (found,) = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    except client.exceptions.DBInstanceNotFoundFault:
        return ABSENT
    except (BotoCoreError, ClientError) as error:
        raise AnsibleError(f"RDS cannot be asked for the address of {identifier}: {error}") from error
    return str(found.get("Endpoint", {}).get("Address", ABSENT))
