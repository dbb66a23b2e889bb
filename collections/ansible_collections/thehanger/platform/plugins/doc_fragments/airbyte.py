# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the Airbyte modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the connection to Airbyte, and of sources and destinations."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the installation, without the path of an API.
      - Over C(http) only a loopback or private address is accepted, since the client secret would travel in clear.
    type: str
    default: http://127.0.0.1:8000
  client_id:
    description:
      - Client id of an application of Airbyte.
      - Falls back to the environment variable E(AIRBYTE_CLIENT_ID).
    type: str
    required: true
  client_secret:
    description:
      - Client secret of that application.
      - Falls back to the environment variable E(AIRBYTE_CLIENT_SECRET).
    type: str
    required: true
  validate_certs:
    description:
      - Whether to verify the certificate of an C(https) address.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for one answer.
    type: int
    default: 30
attributes:
  check_mode:
    description: Reports what would change and sends no request that changes anything.
    support: full
  platform:
    description: Runs where Python 3.11 or later runs and reaches the API, best on the Airbyte host itself.
    platforms: posix
    support: full
"""

    ACTOR = r"""
options:
  name:
    description:
      - Name, unique in the workspace. Sources and destinations are found by it.
    type: str
    required: true
  workspace:
    description:
      - Name or id of the workspace. May be left out where there is only one.
    type: str
  type:
    description:
      - Type of the connector, needed to create it, for example V(postgres) or V(snowflake).
    type: str
  definition_id:
    description:
      - Definition of the connector instead of O(type), for connectors of your own.
    type: str
  configuration:
    description:
      - Configuration in the shape of the connector's specification.
      - Only what is set here is compared, whatever else stands in Airbyte is left as it is.
    type: dict
    default: {}
  check:
    description:
      - Whether to let Airbyte try the connection when it is created or changed.
      - A connection that does not work is not created, and a change that does not work is not made.
    type: bool
    default: true
  secrets_file:
    description:
      - File on the host the module runs on that holds keyed fingerprints of the secrets last written, and their
        coordinates in Airbyte. Airbyte never shows a secret, so this is how a change is noticed.
    type: path
    default: /var/lib/thehanger/airbyte/secrets.json
  secrets_policy:
    description:
      - V(on_change) writes a secret when its value changed, when somebody changed it in Airbyte, or when nothing is
        known about it.
      - V(always) writes secrets every time, which is always a change.
      - V(never) writes secrets only when the object is created.
    type: str
    choices: [on_change, always, never]
    default: on_change
  state:
    description:
      - Whether it should exist.
    type: str
    choices: [present, absent]
    default: present
"""
