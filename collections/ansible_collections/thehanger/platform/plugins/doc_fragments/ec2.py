# Copyright (c) The Hanger data platform contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the EC2 modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection to AWS and the project."""

    DOCUMENTATION = r"""
options:
  project:
    description:
      - Value of the tag C(Project) on everything that is meant.
    type: str
    required: true
  region:
    description:
      - AWS region.
      - Falls back to the environment variables E(AWS_REGION) and E(AWS_DEFAULT_REGION), then to the profile.
    type: str
    aliases: [aws_region]
  endpoint_url:
    description:
      - URL of another endpoint than that of AWS.
      - Falls back to the environment variable E(AWS_URL); E(AWS_ENDPOINT_URL) is honoured as by every AWS tool.
    type: str
    aliases: [aws_endpoint_url]
  profile:
    description:
      - Named profile of the AWS configuration. Not used when O(access_key) is set.
      - Falls back to the environment variables E(AWS_PROFILE) and E(AWS_DEFAULT_PROFILE).
    type: str
    aliases: [aws_profile]
  access_key:
    description:
      - Access key. Without it, credentials are found as by every AWS tool.
      - Falls back to the environment variable E(AWS_ACCESS_KEY_ID).
    type: str
    aliases: [aws_access_key_id]
  secret_key:
    description:
      - Secret access key.
      - Falls back to the environment variable E(AWS_SECRET_ACCESS_KEY).
    type: str
    aliases: [aws_secret_access_key]
  session_token:
    description:
      - Session token of temporary credentials.
      - Falls back to the environment variable E(AWS_SESSION_TOKEN).
    type: str
    aliases: [aws_session_token]
  unreachable_hint:
    description:
      - What to tell when the endpoint does not answer or there are no credentials.
    type: str
    default: ""
requirements:
  - boto3 >= 1.34
attributes:
  check_mode:
    description: Sends only calls that read.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  platform:
    description: Runs where Python 3.11 or later runs and reaches AWS, usually on the control node.
    platforms: posix
    support: full
"""
