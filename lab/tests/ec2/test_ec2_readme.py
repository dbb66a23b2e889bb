"""The table of the README, which the journal of a whole run is compared with."""

from __future__ import annotations

from pathlib import Path

import botocore.session
from hanger_lab.ec2.journal import documented, undocumented

# Actions that IAM spells unlike the API: https://docs.aws.amazon.com/service-authorization
IAM_ONLY = {"s3:ListBucket", "s3:ListAllMyBuckets", "s3:PutEncryptionConfiguration", "s3:GetEncryptionConfiguration"}
IAM_ONLY |= {"s3:PutLifecycleConfiguration", "s3:GetLifecycleConfiguration", "s3:GetInventoryConfiguration"}
IAM_ONLY |= {"s3:GetAccelerateConfiguration", "s3:GetBucketObjectLockConfiguration"}
IAM_ONLY |= {"s3:PutBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "s3:ListBucketVersions"}


def test_every_row_is_of_an_action_that_exists() -> None:
    session = botocore.session.get_session()
    known = {
        f"{service}:{name}"
        for service in ("ec2", "iam", "rds", "ssm", "sts", "s3")
        for name in session.get_service_model(service).operation_names
    }
    assert documented() - known == IAM_ONLY


def test_an_action_without_a_row_is_found(tmp_path: Path) -> None:
    (tmp_path / "calls.log").write_text("ec2:RunInstances\nec2:CreateCapacityReservation\n")
    assert undocumented(tmp_path) == {"ec2:CreateCapacityReservation"}
