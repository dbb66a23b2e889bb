"""The lab's EC2: moto's API with a systemd machine behind every instance. README.md says how it differs from AWS."""
