"""An emulated Snowflake account: fakesnow runs the data SQL, this package everything that belongs to the account."""
