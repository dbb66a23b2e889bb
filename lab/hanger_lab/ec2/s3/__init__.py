"""The lab's S3: moto's books and API, objects as files, on the port of the lab's EC2.

It answers where EC2 does, for programs of this host, and on the gateway of the services network, for machines, which
get presigned URLs. Every request but one for a public package must carry a version 4 signature of the lab's own key,
in a header or in the query; a presigned URL ends when it says so. Buckets are named in the path. Objects are files
under `<lab>/ec2/objects/`.

What differs from S3: it speaks plain HTTP; statements with conditions in bucket policies (such as the one that asks for
TLS), encryption and lifecycle rules are kept and not enforced; signatures of single chunks of a streamed body are not
checked.
"""
