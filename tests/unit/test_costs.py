"""What the machines cost."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "filter_plugins"))

from costs import cost_table, monthly_cost, standing  # noqa: E402

TABLE = yaml.safe_load((ROOT / "roles/ec2_launch/vars/prices.yml").read_text())["__ec2_launch_price_table"]
PRICES = {
    "here": {
        "public_ipv4_hour": 0.005,
        "gp3": {"gib_month": 0.1, "iops_month": 0.01, "throughput_month": 0.05},
        "instances": {"small": 0.01, "large": 0.1},
    }
}
NOTHING = {"instances": [], "volumes": [], "addresses": []}


def wanted(name="a", **options):
    return {"name": name, "type": "small", "root_volume": {"size": 10}, "volumes": [], **options}


def instance(name="a", **options):
    known = {"id": f"i-{name}", "name": name, "state": "running", "type": "small", "root_device": "/dev/xvda"}
    return {**known, "public_ip": "192.0.2.1", **options}


def volume(instance_id="i-a", **options):
    return {"instance_id": instance_id, "device": "/dev/xvda", "size": 10, "type": "gp3", **options}


def priced(entries):
    return {
        (row["resource"], row["what"]): row["usd_per_month"] for row in monthly_cost(entries, PRICES, "here")["rows"]
    }


def test_a_new_instance_costs_its_type_its_volume_and_its_address():
    cost = monthly_cost(standing(NOTHING, [wanted()]), PRICES, "here")
    assert [(row["what"], row["usd_per_month"]) for row in cost["rows"]] == [
        ("small", 7.3),
        ("volume gp3, 10 GiB", 1.0),
        ("public IPv4 address", 3.65),
    ]
    assert cost["total_usd"] == 11.95
    assert cost["usd_per_hour"] == pytest.approx(11.95 / 730, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ({}, 10),
        ({"iops": 3000, "throughput": 125}, 10),
        ({"iops": 4000}, 20),
        ({"throughput": 225}, 15),
        ({"iops": 4000, "throughput": 225}, 25),
    ],
)
def test_speed_above_what_a_volume_has_for_nothing_is_charged(options, usd):
    entry = {"name": "a", "volumes": [{"size": 100, **options}]}
    assert monthly_cost([entry], PRICES, "here")["total_usd"] == usd


def test_what_exists_counts_once_and_as_it_is():
    found = {"instances": [instance(type="large")], "volumes": [volume(size=50)], "addresses": []}
    assert priced(standing(found, [wanted()])) == {
        ("a", "large"): 73.0,
        ("a", "volume gp3, 50 GiB"): 5.0,
        ("a", "public IPv4 address"): 3.65,
    }


def test_what_is_resized_counts_as_it_will_be():
    found = {"instances": [instance(type="large")], "volumes": [volume(size=10, iops=3000)], "addresses": []}
    item = wanted(root_volume={"size": 20, "iops": 4000}, volumes=[{"device": "/dev/sdf", "size": 30}])
    assert priced(standing(found, [item], resize=True)) == {
        ("a", "small"): 7.3,
        ("a", "volume gp3, 20 GiB, 4000 IOPS"): 12.0,
        ("a", "volume gp3, 30 GiB"): 3.0,
        ("a", "public IPv4 address"): 3.65,
    }


def test_what_nobody_asks_for_any_more_still_costs():
    found = {
        "instances": [instance("old"), instance("stopped", state="stopped", public_ip="")],
        "volumes": [volume("i-old"), volume("i-stopped"), volume("", size=7), volume("i-gone", size=8)],
        "addresses": [
            {"instance_id": "i-stopped", "public_ip": "198.51.100.1"},
            {"instance_id": "", "public_ip": "198.51.100.2"},
        ],
    }
    assert priced(standing(found, [])) == {
        ("old", "small"): 7.3,
        ("old", "volume gp3, 10 GiB"): 1.0,
        ("old", "public IPv4 address"): 3.65,
        ("stopped", "volume gp3, 10 GiB"): 1.0,
        ("stopped", "Elastic IP address"): 3.65,
        ("(no instance)", "volume gp3, 7 GiB"): 0.7,
        ("(no instance)", "volume gp3, 8 GiB"): 0.8,
        ("(no instance)", "Elastic IP address 198.51.100.2, idle"): 3.65,
    }


@pytest.mark.parametrize(
    ("entry", "region", "message"),
    [
        (
            {"type": "x9.huge"},
            "here",
            r"instances x9.huge in here.*ec2_launch_prices: \{here: \{instances: \{x9",
        ),
        ({"type": "small"}, "there", r"price of instances small in there.*ec2_launch_prices: \{there: "),
        ({"volumes": [{"size": 1, "type": "io9"}]}, "here", r"price of io9 gib_month in here"),
        ({"addresses": ["public"]}, "there", r"ec2_launch_prices: \{there: \{public_ipv4_hour: <USD for an hour>\}\}"),
    ],
)
def test_a_price_that_is_not_known_names_the_variable(entry, region, message):
    with pytest.raises(AnsibleFilterError, match=message):
        monthly_cost([{"name": "a", **entry}], PRICES, region)


def test_the_table_ends_with_the_total():
    lines = cost_table(monthly_cost(standing(NOTHING, [wanted(), wanted("b", type="large")]), PRICES, "here")).split(
        "\n"
    )
    assert lines[-1].split() == ["total", "0.1227", "89.60"]
    assert lines[2].split()[:2] == ["a", "small"]


@pytest.mark.parametrize("region", sorted(TABLE))
def test_every_region_prices_what_the_defaults_launch(region):
    types = ["t3.micro", "t3.small", "t3.large", "t3.xlarge", "m7i-flex.large", "c7i-flex.large", "t4g.small"]
    entries = [{"name": name, "type": name, "volumes": [{"size": 1}], "addresses": ["public"]} for name in types]
    assert len(monthly_cost(entries, TABLE, region)["rows"]) == 3 * len(types)


@pytest.mark.parametrize("region", sorted(TABLE))
def test_twice_the_size_costs_twice_as_much(region):
    prices = TABLE[region]["instances"]
    sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"]
    for family in {name.split(".")[0] for name in prices if name.startswith("t")}:
        steps = [upper / lower for lower, upper in pairwise(prices[f"{family}.{size}"] for size in sizes)]
        assert steps == pytest.approx([2] * 6, rel=0.02)


def test_a_volume_that_an_instance_gets_later_is_counted():
    found = {**NOTHING, "instances": [instance()], "volumes": [volume()]}
    later = wanted(volumes=[{"device": "/dev/sdf", "size": 100}])
    assert priced(standing(found, [later]))["a", "volume gp3, 100 GiB"] == 10


def test_an_instance_that_is_ending_counts_as_the_one_that_takes_its_place():
    found = {**NOTHING, "instances": [instance(state="shutting-down")]}
    assert priced(standing(found, [wanted(type="large")]))["a", "large"] == 73


def test_instances_of_one_name_are_all_counted():
    found = {**NOTHING, "instances": [instance("", id="i-1"), instance("", id="i-2")]}
    assert [row for row, _ in priced(standing(found, []))] == ["i-1", "i-1", "i-2", "i-2"]
