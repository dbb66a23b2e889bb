"""The data plane: fakesnow on DuckDB, with the gaps closed that our clients meet."""
