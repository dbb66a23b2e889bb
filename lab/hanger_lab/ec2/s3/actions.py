"""The names of S3's actions, as IAM spells them, of requests that name a method, a path and a query only."""

from __future__ import annotations

from urllib.parse import parse_qsl

SIGNATURE = "X-Amz-"
_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "POST": "PutObject",
    "DELETE": "DeleteObject",
}
# What a bucket's sub-resource is called after Get, Put or Delete; IAM has no Delete where one action does both.
_BUCKET_PARTS = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_OBJECT_PARTS = {"acl": "ObjectAcl", "tagging": "ObjectTagging", "retention": "ObjectRetention"}
_DELETES = ("BucketPolicy", "BucketWebsite", "ObjectTagging")
_LISTS = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads", "delete": "DeleteObject"}


def action(method: str, path: str, query: str) -> str:
    """Return the action of a request, such as `GetBucketTagging`; buckets are named in the path."""
    bucket, _, key = path.lstrip("/").partition("/")
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True) if not name.startswith(SIGNATURE)]
    if not bucket:
        return "ListAllMyBuckets"
    parts = _OBJECT_PARTS if key else _BUCKET_PARTS
    part = next((parts[name] for name in names if name in parts), None)
    if part:
        verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete" if part in _DELETES else "Put"}.get(method, "Put")
        return f"{verb}{part}"
    if key:
        return "AbortMultipartUpload" if method == "DELETE" and "uploadId" in names else _OBJECT.get(method, method)
    return next((_LISTS[name] for name in names if name in _LISTS), _BUCKET.get(method, method))
