"""A server with the public API of Airbyte and an engine of its own from PostgreSQL to Snowflake."""
