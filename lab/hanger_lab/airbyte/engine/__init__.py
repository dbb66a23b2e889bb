"""Extracts from PostgreSQL and loads into Snowflake as the connectors of the real thing do."""
