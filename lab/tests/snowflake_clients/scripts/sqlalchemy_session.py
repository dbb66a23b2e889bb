"""Works with the emulated account as Superset does, through snowflake-sqlalchemy; a failed assertion ends it.

Arguments: port, private key file, name of a database that is there already.
"""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path

import pandas
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from snowflake.sqlalchemy import URL

PORT, KEY_FILE, DATABASE = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
key = serialization.load_pem_private_key(KEY_FILE.read_bytes(), None).private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
place = {"host": "127.0.0.1", "port": PORT, "warehouse": "WORK", "database": DATABASE, "schema": "PUBLIC"}
engine = sa.create_engine(
    URL(account="HANGERLAB", user="HANGER_PROVISIONER", **place),
    connect_args={"protocol": "http", "private_key": key, "authenticator": "SNOWFLAKE_JWT"},
)
metadata = sa.MetaData()
members = sa.Table(
    "members",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(50), nullable=False, unique=True, comment="as they say it"),
)
visits = sa.Table(
    "visits",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("member_id", sa.ForeignKey("members.id")),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("at", sa.DateTime),
)
metadata.create_all(engine)
with engine.begin() as connection:
    connection.execute(members.insert(), [{"id": 1, "name": "Ana"}, {"id": 2, "name": "Björn"}])
    noon = datetime.datetime(2024, 2, 29, 12)
    connection.execute(visits.insert(), {"id": 1, "member_id": 1, "price": Decimal("1.50"), "at": noon})
    query = sa.select(members.c.name, visits.c.price).join(visits, isouter=True).order_by(members.c.id)
    assert connection.execute(query).all() == [("Ana", Decimal("1.50")), ("Björn", None)]
    connection.exec_driver_sql("CREATE VIEW named AS SELECT name FROM members")

inspector = sa.inspect(engine)
assert inspector.default_schema_name == "public"
assert set(inspector.get_schema_names()) >= {"public"}
assert sorted(inspector.get_table_names()) == ["members", "visits"]
assert inspector.get_view_names() == ["named"]
assert inspector.has_table("members")
assert not inspector.has_table("nosuch")
columns = {column["name"]: column for column in inspector.get_columns("members")}
assert list(columns) == ["id", "name"]
assert columns["name"]["comment"] == "as they say it"
assert not columns["name"]["nullable"]
assert inspector.get_pk_constraint("members")["constrained_columns"] == ["id"]
assert [found["column_names"] for found in inspector.get_unique_constraints("members")] == [["name"]]
(foreign,) = inspector.get_foreign_keys("visits")
assert (foreign["constrained_columns"], foreign["referred_table"]) == (["member_id"], "members")
reflected = sa.MetaData()
reflected.reflect(engine)
assert set(reflected.tables) == {"members", "visits"}

frame = pandas.read_sql("SELECT * FROM visits", engine)
assert frame["at"].tolist() == [pandas.Timestamp(noon)]
for _ in range(2):
    pandas.DataFrame({"a": [1, 2], "b": ["x", None]}).to_sql("framed", engine, index=False, if_exists="append")
assert pandas.read_sql("SELECT COUNT(*) AS n, COUNT(b) AS b FROM framed", engine).values.tolist() == [[4, 2]]
metadata.drop_all(engine)
assert sa.inspect(engine).get_table_names() == ["framed"]
