"""The lab's EC2: moto's API server with a systemd machine behind every instance.

Start it with `python -m hanger_lab.ec2 serve`: EC2, IAM, STS and SSM on 127.0.0.1, on the lab's EC2 port. It is ready
when `GET /healthz` answers 200; SIGTERM ends it after the call that is under way. Its state is
`<lab>/ec2/state.pickle`, written after each call that changes something.

What is as on EC2: ids, states, tags, filters, client tokens, key pairs, user data, security groups (ingress), error
codes; a call that a machine does not follow fails, and leaves what was there before.
What differs:
- an instance's public address is its private one, and it keeps it over stop and start; there are no Elastic IPs;
- one network interface per instance; volumes besides the root exist in the API only; egress rules are not enforced;
- two VPCs with overlapping ranges cannot both have machines, and a range that the host uses is refused at CreateVpc;
- nothing starts in the default VPC;
- the host stands for every address outside a VPC (see `rules`);
- one access key, the lab's own, may do everything (IAM permissions are recorded, not enforced); keys that IAM or STS
  hand out open nothing here, and whatever a browser sends for a page is refused;
- SSM can be read only.
"""
