"""The lab's S3: moto's books and API, objects as files, on the port of the lab's EC2.

It answers where EC2 does, for programs of this host, and on the gateway of the services network, for machines, there
over TLS as well, with a certificate of the lab's own authority. Every request but one for a public package must carry a
version 4 signature, in a header or in the query, of the lab's own key or of the credentials that a machine finds in its
metadata; a presigned URL ends when it says so. A machine may do what the policies of its instance's role allow, and
nothing else. Buckets are named in the path. Objects are files under `<lab>/ec2/objects/`.

What differs from S3: plain HTTP is accepted; what a role is allowed on a condition it is not allowed at all; statements
with conditions in bucket policies (such as the one that asks for TLS), encryption and lifecycle rules are kept and not
enforced; when one of several objects may not be deleted, none is; signatures of single chunks of a streamed body are
not checked.
"""
