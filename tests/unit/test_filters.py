"""The filters of the playbooks."""

import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "filter_plugins"))

from role_variables import misspelled_role_variables, role_options  # noqa: E402
from summary import reconcile, text_table  # noqa: E402


def test_a_table_has_a_line_for_each_row_and_keeps_numbers_as_text():
    table = text_table([{"Layer": "EC2", "Version": "1.10"}, {"Layer": "Airbyte", "Version": "2"}])
    assert [line.split() for line in table.split("\n")[2:]] == [["EC2", "1.10"], ["Airbyte", "2"]]


def test_a_table_refuses_rows_of_different_keys():
    with pytest.raises(AnsibleFilterError, match="same keys"):
        text_table([{"a": 1}, {"b": 1}])


def test_reconciling_tells_equal_different_and_missing_tables_apart():
    source = [{"name": "a", "rows": 1}, {"name": "b", "rows": 2}, {"name": "c", "rows": 3}]
    rows = reconcile(source, [{"NAME": "a", "ROWS_LOADED": "1"}, {"NAME": "b", "ROWS_LOADED": 3}])
    assert [(row["Warehouse"], row["State"]) for row in rows] == [
        (1, "equal"),
        (3, "different"),
        ("missing", "different"),
    ]


def roles(tmp_path, **variables):
    for role, names in variables.items():
        meta = tmp_path / role / "meta"
        meta.mkdir(parents=True)
        options = "".join(f"      {name}: {{type: str}}\n" for name in names)
        (meta / "argument_specs.yml").write_text(f"argument_specs:\n  main:\n    options:\n{options}")
    return str(tmp_path)


def test_a_misspelled_variable_is_named_with_the_nearest_one(tmp_path):
    directory = roles(tmp_path, postgres_server=["postgres_server_port"])
    assert misspelled_role_variables(["postgres_server_prot", "other"], directory) == [
        "postgres_server_prot is no variable of the role postgres_server; did you mean postgres_server_port?"
    ]


def test_a_variable_belongs_to_the_role_with_the_longest_name(tmp_path):
    directory = roles(tmp_path, airbyte=["airbyte_port"], airbyte_connections=["airbyte_connections_sync"])
    assert misspelled_role_variables(["airbyte_port", "airbyte_connections_sync"], directory) == []
    assert misspelled_role_variables(["airbyte_sync"], directory) != []


def test_the_options_of_a_role_are_those_that_are_set(tmp_path):
    directory = roles(tmp_path, airbyte=["airbyte_port", "airbyte_host"], dbt=["dbt_threads"])
    assert role_options(["airbyte_port", "other"], directory) == {"airbyte": {"airbyte_port": {"type": "str"}}}
