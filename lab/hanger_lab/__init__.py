"""Offline stand-ins for EC2, Snowflake and Airbyte that real clients talk to."""
