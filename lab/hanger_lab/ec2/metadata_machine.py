"""How a machine reaches its metadata service, and what the API changes about it."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import InstanceBackend, MetadataOptions

from hanger_lab.ec2.patches import Method, Patches

LINK_LOCAL = "169.254.169.254"
TABLE = "hanger_metadata"
CLOUD_CONFIG = "/etc/cloud/cloud.cfg.d/95_hanger_ec2.cfg"
HOP_LIMITS = range(1, 65)
_CHOICES = {
    "HttpTokens": ("http_tokens", ("optional", "required")),
    "HttpEndpoint": ("http_endpoint", ("enabled", "disabled")),
    "HttpProtocolIpv6": ("http_protocol_ipv6", ("enabled", "disabled")),
    "InstanceMetadataTags": ("instance_metadata_tags", ("enabled", "disabled")),
}


def install(patches: Patches) -> None:
    """Let ModifyInstanceMetadataOptions change what it is asked to, and nothing else, until `patches` is left."""
    patches.wrap(InstanceBackend, "modify_instance_metadata_options", _modify_options)


def redirection(address: tuple[str, int]) -> str:
    """Return an nftables script that leads the link-local address of a machine, and of its containers, to the lab's."""
    host, port = address
    rule = f"ip daddr {LINK_LOCAL} tcp dport 80 dnat to {host}:{port}"
    lines = [
        f"table ip {TABLE}",
        f"delete table ip {TABLE}",
        f"table ip {TABLE} {{",
        *_chain("output", rule),
        *_chain("prerouting", rule),
        "}",
    ]
    return "\n".join(lines) + "\n"


def cloud_config() -> str:
    """Return the configuration by which cloud-init takes its data from the metadata service.

    Later boots trust what the first one has learnt: a machine comes up as quickly while the lab's EC2 is down.
    """
    source = f"http://{LINK_LOCAL}"
    return (
        "datasource_list: [ Ec2Lab ]\n"
        f'datasource: {{ Ec2: {{ strict_id: false, metadata_urls: [ "{source}" ], max_wait: 20, timeout: 5 }} }}\n'
        "manual_cache_clean: true\n"
    )


def _chain(hook: str, rule: str) -> list[str]:
    priority = -100
    return [f"  chain {hook} {{", f"    type nat hook {hook} priority {priority};", f"    {rule}", "  }"]


def _modify_options(original: Method, backend: Any, instance_id: str, **given: Any) -> MetadataOptions:
    """Validate as EC2 does; what the caller leaves out stays."""
    options: MetadataOptions = backend.get_instance(instance_id).metadata_options
    wanted = {
        "HttpTokens": given.get("http_tokens"),
        "HttpEndpoint": given.get("http_endpoint"),
        "HttpProtocolIpv6": given.get("http_protocol"),
        "InstanceMetadataTags": given.get("metadata_tags"),
    }
    for name, value in wanted.items():
        choices = _CHOICES[name][1]
        if value is not None and value not in choices:
            raise _invalid(f"{value} is not one of {', '.join(choices)} for {name}")
    limit = given.get("hop_limit")
    if limit is not None and int(limit) not in HOP_LIMITS:
        raise _invalid(f"{limit} is not between {HOP_LIMITS[0]} and {HOP_LIMITS[-1]} for HttpPutResponseHopLimit")
    for name, value in wanted.items():
        if value is not None:
            setattr(options, _CHOICES[name][0], value)
    if limit is not None:
        options.http_put_response_hop_limit = int(limit)
    return options


def _invalid(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameterValue", message)
