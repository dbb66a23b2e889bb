"""Volumes as EC2 keeps them: what an instance gets at launch, and how a volume may change. They hold no data here."""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, Volume, VolumeAttachment, VolumeModification
from moto.ec2.responses.instances import InstanceResponse

from hanger_lab.ec2.patches import Method, Patches

ROOT_SIZE, ROOT_TYPE = 8, "gp3"  # of every image of the lab
DEFAULTS = {"gp3": (3000, 125)}
THROUGHPUT_TYPES, IOPS_TYPES = ("gp3",), ("gp3", "io1", "io2")
# How long a change takes. AWS needs minutes, and hours until the next change is allowed.
MODIFYING_SECONDS, OPTIMIZING_SECONDS = 1.0, 3.0


def install(patches: Patches) -> None:
    """Let moto's volumes behave until `patches` is left."""
    patches.wrap(Volume, "__init__", _volume)
    patches.wrap(InstanceResponse, "_parse_block_device_mapping", _parse)
    patches.wrap(EBSBackend, "modify_volume", _modify)
    patches.wrap(EBSBackend, "describe_volumes_modifications", _describe_modifications)
    patches.add(VolumeAttachment, "delete_on_termination", property(_ends_with_instance))
    patches.assign(VolumeModification, "modification_state", property(_state))
    patches.assign(VolumeModification, "progress", property(_progress))


def complete(mappings: list[dict[str, Any]] | None, root_device: str) -> list[dict[str, Any]]:
    """Return the block devices of a launch: the image's root volume, changed as the caller said, and the others."""
    mappings = list(mappings or [])
    if not any(mapping["DeviceName"] == root_device for mapping in mappings):
        mappings.insert(0, {"DeviceName": root_device, "Ebs": {}, "NoDevice": None})
    return [_completed(mapping, mapping["DeviceName"] == root_device) for mapping in mappings]


def settle(instance: Any, mappings: list[dict[str, Any]]) -> None:
    """Give the volumes of a new instance the speed that was asked for."""
    for mapping in mappings:
        device = instance.block_device_mapping.get(mapping["DeviceName"])
        if device is not None:
            volume = instance.ec2_backend.get_volume(device.volume_id)
            volume.iops = mapping["Ebs"].get("Iops") or volume.iops
            volume.throughput = mapping["Ebs"].get("Throughput") or volume.throughput
            _check_speed(volume.volume_type, mapping["Ebs"].get("Iops"), mapping["Ebs"].get("Throughput"))


def _completed(mapping: dict[str, Any], root: bool) -> dict[str, Any]:
    given = {name: value for name, value in mapping["Ebs"].items() if value is not None}
    image = {"VolumeSize": ROOT_SIZE, "VolumeType": ROOT_TYPE, "DeleteOnTermination": True}
    defaults = image if root else {"DeleteOnTermination": False}
    if root and int(given.get("VolumeSize", ROOT_SIZE)) < ROOT_SIZE:
        message = f"Volume of size {given['VolumeSize']}GB is smaller than snapshot, expect size >= {ROOT_SIZE}GB"
        raise EC2ClientError("InvalidBlockDeviceMapping", message)
    return {**mapping, "Ebs": {**mapping["Ebs"], **defaults, **given}}


def _volume(original: Method, volume: Any, *args: Any, **kwargs: Any) -> None:
    original(volume, *args, **kwargs)
    volume.snapshot_id = volume.snapshot_id or ""
    _set_speed(volume)


def _set_speed(volume: Any) -> None:
    """Give a volume the speed that its type and size have unless another one was asked for."""
    iops, throughput = DEFAULTS.get(volume.volume_type, (None, None))
    if volume.volume_type == "gp2":
        volume.iops = min(max(100, 3 * int(volume.size or 0)), 16000)
    else:
        volume.iops = volume.iops or iops
    volume.throughput = (volume.throughput or throughput) if volume.volume_type in THROUGHPUT_TYPES else None


def _parse(original: Method, response: Any) -> list[dict[str, Any]]:
    """Read what moto leaves out, and tell a false from nothing."""
    mappings: list[dict[str, Any]] = original(response)
    for mapping, given in zip(mappings, response._get_param("BlockDeviceMappings", []), strict=True):
        ebs = given.get("Ebs", {})
        for name in ("Throughput", "DeleteOnTermination"):
            mapping["Ebs"][name] = ebs.get(name)
    return mappings


def _modify(
    original: Method,
    backend: Any,
    volume_id: str,
    target_size: int | None = None,
    target_volume_type: str | None = None,
    target_iops: int | None = None,
    target_throughput: int | None = None,
    target_multi_attach_enabled: bool | None = None,
) -> Any:
    volume = backend.get_volume(volume_id)
    if target_size and int(target_size) < int(volume.size):
        raise EC2ClientError("InvalidParameterValue", "New size cannot be smaller than existing size")
    if volume.modifications and (state := volume.modifications[-1].modification_state) != "completed":
        message = f"Volume {volume_id} cannot be modified in modification state {state.upper()}"
        raise EC2ClientError("IncorrectModificationState", message)
    kind = target_volume_type or volume.volume_type
    _check_speed(kind, target_iops, target_throughput)
    before = _look(volume)
    if target_volume_type and target_volume_type != volume.volume_type:
        volume.iops = volume.throughput = None
    original(
        backend, volume_id, target_size, target_volume_type, target_iops, target_throughput, target_multi_attach_enabled
    )
    _set_speed(volume)
    modification = volume.modifications[-1]
    for name, value in before.items():
        setattr(modification, f"original_{name}", value)
    for name, value in _look(volume).items():
        setattr(modification, f"target_{name}", value)
    return volume


def _look(volume: Any) -> dict[str, Any]:
    return {
        "size": volume.size,
        "volume_type": volume.volume_type,
        "iops": volume.iops,
        "throughput": volume.throughput,
        "multi_attach_enabled": volume.multi_attach_enabled or False,
    }


def _check_speed(kind: str, iops: Any, throughput: Any) -> None:
    if iops and kind not in IOPS_TYPES:
        raise EC2ClientError("InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes.")
    if throughput and kind not in THROUGHPUT_TYPES:
        message = f"The parameter throughput is not supported for {kind} volumes."
        raise EC2ClientError("InvalidParameterCombination", message)


def _ends_with_instance(attachment: Any) -> bool:
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)


def _state(modification: Any) -> str:
    age = (utcnow() - modification.start_time).total_seconds()
    if age < MODIFYING_SECONDS:
        return "modifying"
    return "optimizing" if age < OPTIMIZING_SECONDS else "completed"


def _progress(modification: Any) -> int:
    age = (utcnow() - modification.start_time).total_seconds()
    return min(100, int(100 * age / OPTIMIZING_SECONDS)) if OPTIMIZING_SECONDS else 100


def _describe_modifications(
    original: Method, backend: Any, volume_ids: list[str] | None = None, filters: Any = None
) -> list[Any]:
    """Return the last change of each volume; one that was asked for by name must have been changed."""
    for volume in backend.describe_volumes(volume_ids) if volume_ids else []:
        if not volume.modifications:
            message = f"Modification for volume '{volume.id}' does not exist."
            raise EC2ClientError("InvalidVolumeModification.NotFound", message)
    last = {modification.volume.id: modification for modification in original(backend, volume_ids, filters)}
    return list(last.values())
