"""The rule sets in src/aws/endpoints and the table of hosts are those of botocore.

`python3 tests/boto3/test_endpoints.py` writes them anew from the botocore that is installed.
"""

import gzip
import json
from pathlib import Path

import botocore
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError

ROOT = Path(__file__).parents[2]
RULES = ROOT / "src" / "aws" / "endpoints"
TABLE = ROOT / "tests" / "data" / "endpoints.tsv"
DATA = Path(botocore.__file__).parent / "data"
# Those whose rule sets are kept here, and those whose SDK crates bring them along.
KEPT = {"ec2": "ec2", "iam": "iam", "elasticloadbalancing": "elbv2", "logs": "logs"}
OF_CRATES = ["sts"]


def load(path):
    if path.exists():
        return json.loads(path.read_text())
    return json.loads(gzip.decompress(path.with_name(path.name + ".gz").read_bytes()))


def rule_sets():
    files = {}
    for name, service in KEPT.items():
        newest = sorted((DATA / service).iterdir())[-1]
        files[f"{name}.json"] = load(newest / "endpoint-rule-set-1.json")
    partitions = load(DATA / "partitions.json")["partitions"]
    files["partitions.json"] = {one["id"]: one["outputs"] for one in partitions}
    return {name: json.dumps(rules, indent=1) + "\n" for name, rules in files.items()}


def regions():
    for partition in load(DATA / "partitions.json")["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                yield region


def provider(service):
    newest = sorted((DATA / service).iterdir())[-1]
    rules = load(newest / "endpoint-rule-set-1.json")
    return EndpointProvider(rules, load(DATA / "partitions.json"))


def resolved(rules, region, fips, dual):
    """The URL and the region of the signature; dashes where there is no such endpoint."""
    try:
        found = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual)
    except EndpointProviderError:
        return "-", "-"
    schemes = found.properties.get("authSchemes", [])
    return found.url, schemes[0]["signingRegion"] if schemes else region


def table():
    lines = ["service\tregion\tfips\tdual stack\turl\tsigns for"]
    for name, service in [*KEPT.items(), *((one, one) for one in OF_CRATES)]:
        rules = provider(service)
        for region in sorted(regions()):
            for fips in (False, True):
                for dual in (False, True):
                    words = ["fips" if fips else "", "dual" if dual else ""]
                    url, signs_for = resolved(rules, region, fips, dual)
                    lines.append("\t".join([name, region, *words, url, signs_for]))
    return "\n".join(lines) + "\n"


def test_the_rule_sets_are_botocores():
    for name, rules in rule_sets().items():
        assert (RULES / name).read_text() == rules, name


def test_the_table_of_hosts_is_botocores():
    assert TABLE.read_text() == table()


if __name__ == "__main__":
    for name, rules in rule_sets().items():
        (RULES / name).write_text(rules)
    TABLE.write_text(table())
