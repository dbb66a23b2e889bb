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

    DESCRIPTION = r"""
options:
  tags:
    description:
      - Tags on everything, besides C(Project). Tags of others stay.
    type: dict
    default: {}
  ttl:
    description:
      - Until when the project is wanted, as an ISO 8601 date or time in UTC. Written to the tag C(hanger_ttl).
      - Nothing is launched when it is past.
    type: str
    default: ""
  vpc_id:
    description:
      - Id of an existing VPC. Without it, the project has one of its own.
    type: str
    default: ""
  vpc_cidr:
    description:
      - Address range of the VPC of its own.
    type: str
    default: ""
  subnets:
    description:
      - Subnets. An instance that names none is launched in the first that has capacity.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name without the project.
        type: str
        required: true
      id:
        description: Id of an existing subnet; needed in an existing VPC.
        type: str
      availability_zone:
        description: Availability zone; needed for a subnet that is created.
        type: str
      cidr:
        description: Address range. Without it, the next /24 of the VPC, or quarter of a small VPC.
        type: str
  admin_cidrs:
    description:
      - Address ranges of the administrators. Without any, the address from which this computer reaches
        O(admin_address_url).
    type: list
    elements: str
    default: []
  admin_address_url:
    description:
      - Service that answers with the address of the caller.
    type: str
    default: https://checkip.amazonaws.com
  admin_from_anywhere:
    description:
      - Whether a rule may admit V(0.0.0.0/0) or V(::/0).
    type: bool
    default: false
  services:
    description:
      - Ports that the administrators reach directly with O(services_open).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      security_group:
        description: Name of the security group that gets the rule.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        required: true
  services_open:
    description:
      - Whether the administrators reach O(services) directly.
    type: bool
    default: false
  security_groups:
    description:
      - Security groups. What no rule admits stays closed, and rules that are not described are removed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name without the project.
        type: str
        required: true
      description:
        description: What the group is for. EC2 cannot change it later.
        type: str
        required: true
      rules:
        description: Ingress rules.
        type: list
        elements: dict
        default: []
        suboptions:
          proto:
            description: Protocol.
            type: str
            choices: [tcp, udp, icmp, icmpv6, all]
            default: tcp
          ports:
            description: Ports, and ranges of ports such as V(8000-8010). Without any, all.
            type: list
            elements: str
          cidrs:
            description: Address ranges that are admitted.
            type: list
            elements: str
          group:
            description: Name of a security group whose members are admitted.
            type: str
          admins:
            description: Whether the administrators are admitted.
            type: bool
            default: false
          description:
            description: What the rule is for.
            type: str
            default: ""
  access:
    description:
      - How the machines are reached. With V(ssm) they get no key pair.
    type: str
    choices: [ssh, ssm]
    default: ssh
  key_name:
    description:
      - Name of the key pair.
    type: str
    default: ""
  private_key_path:
    description:
      - File with the private key; the public one is beside it with the suffix C(.pub). It is only looked at.
    type: path
    default: ""
  profile_policy:
    description:
      - Statements of an IAM policy. Where there are any, the instances get a role with them.
    type: list
    elements: dict
    default: []
  images:
    description:
      - Images by name. C(login) is the user of the image, and C(id), C(ssm_parameter), or C(owner) and C(name) say
        which one is meant; of several, the newest.
      - C({arch}) in a parameter or name is the spelling of the architecture in C(architectures).
    type: dict
    required: true
  image:
    description:
      - Name of the image of instances that name none.
    type: str
    required: true
  type_list:
    description:
      - Name of the list in O(instance_types).
    type: str
    default: ""
  instance_types:
    description:
      - Lists of types by the name of the instance, for instances without a type.
    type: dict
    default: {}
  instances:
    description:
      - Instances.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name without the project.
        type: str
        required: true
      type:
        description: Instance type.
        type: str
      hanger_roles:
        description: Groups of the inventory, written to the tag C(hanger_roles).
        type: list
        elements: str
        required: true
      security_groups:
        description: Names of security groups.
        type: list
        elements: str
        required: true
      subnet:
        description: Name of the only subnet that will do.
        type: str
      image:
        description: Name of an image. Not compared once the instance exists.
        type: str
      root_volume:
        description: The encrypted root volume.
        type: dict
        required: true
        suboptions: &volume
          size:
            description: GiB.
            type: int
            required: true
          type:
            description: Type of the volume.
            type: str
            default: gp3
          iops:
            description: Operations per second, where AWS's own number will not do.
            type: int
          throughput:
            description: MiB per second, where AWS's own number will not do.
            type: int
      volumes:
        description: More encrypted volumes.
        type: list
        elements: dict
        default: []
        suboptions:
          device:
            description: Name of the device, for example V(/dev/sdf).
            type: str
            required: true
          <<: *volume
      metadata_hop_limit:
        description: How many network hops away the metadata may be read, always with a token.
        type: int
        default: 1
      termination_protection:
        description: Whether AWS refuses to terminate the instance.
        type: bool
        default: false
      user_data:
        description: What runs at the first boot. Not compared once the instance exists.
        type: str
      elastic_ip:
        description: Whether the instance has a public address that stays.
        type: bool
        default: false
      tags:
        description: More tags.
        type: dict
        default: {}
  allow_resize:
    description:
      - Whether another type or size is applied, which stops the instance, instead of being reported.
    type: bool
    default: false
  variable_prefix:
    description:
      - What stands before the names of options in messages.
    type: str
    default: ""
"""
