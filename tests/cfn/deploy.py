"""Deploys the network of the grid's clusters on moto, and looks at what came of it.

moto makes nothing of AWS::EKS::*, so the control plane is left out, with what refers to it.
Every check is counted; the last line says how many passed and how many failed.
"""

import ipaddress
import json
import sys
from pathlib import Path

import boto3
from moto import mock_aws

# The region of the grid, and one that has enough zones in moto.
WRITTEN_FOR = "eu-central-1"
REGION = "us-east-1"
ANYWHERE = "0.0.0.0/0"


class Checks:
    """Counts what holds and says what does not."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def equal(self, what, seen, expected):
        if seen == expected:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {what}: expected {expected!r}, saw {seen!r}")


def refers_to_control_plane(value):
    if isinstance(value, dict):
        if value.get("Ref") == "ControlPlane" or value.get("Fn::GetAtt", [None])[0] == "ControlPlane":
            return True
        return any(refers_to_control_plane(inner) for inner in value.values())
    if isinstance(value, list):
        return any(refers_to_control_plane(inner) for inner in value)
    return False


def network_of(template):
    """The template without the control plane."""
    for part in ("Resources", "Outputs"):
        kept = {
            name: value
            for name, value in template[part].items()
            if name != "ControlPlane" and not refers_to_control_plane(value)
        }
        template[part] = kept
    return template


def ways_out(tables, made, kind, key):
    """Where the default routes of the subnets of one kind go, by subnet.

    moto says of an association only which route table it is for.
    """
    prefix = f"Subnet{kind}"
    ways = {}
    for logical, subnet in made.items():
        if logical.startswith(prefix):
            table = made[f"RouteTableAssociation{kind}{logical.removeprefix(prefix)}"]
            routes = [r for r in tables[table]["Routes"] if r["DestinationCidrBlock"] == ANYWHERE]
            ways[subnet] = [route[key] for route in routes if route.get(key)]
    return ways


def only(filters):
    return {"Filters": [{"Name": name, "Values": [value]} for name, value in filters.items()]}


@mock_aws
def deployed(checks, file):
    """One stack, in an account of its own."""
    _, name, _ = file.name.split(".", 2)
    zones, _, nat, _, role = name.split("-")[:5]
    zones = int(zones)
    session = boto3.Session("test", "test", region_name=REGION)
    cloudformation, ec2, iam = (session.client(s) for s in ("cloudformation", "ec2", "iam"))
    stack = "eksctl-grid-cluster"
    text = file.read_text().replace(WRITTEN_FOR, REGION)
    body = json.dumps(network_of(json.loads(text)))
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "alpha.eksctl.io/cluster-name", "Value": "grid"}],
    )
    made = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    checks.equal(f"{name}: the stack", made["StackStatus"], "CREATE_COMPLETE")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}
    checks.equal(f"{name}: its NAT mode", outputs["FeatureNATMode"], nat)
    exports = {e["Name"]: e["Value"] for e in cloudformation.list_exports()["Exports"]}
    checks.equal(f"{name}: its exports", exports.get(f"{stack}::VPC"), outputs["VPC"])

    in_vpc = only({"vpc-id": outputs["VPC"]})
    subnets = {s["SubnetId"]: s for s in ec2.describe_subnets(**in_vpc)["Subnets"]}
    public, private = (outputs[key].split(",") for key in ("SubnetsPublic", "SubnetsPrivate"))
    checks.equal(f"{name}: its subnets", sorted(subnets), sorted(public + private))
    checks.equal(f"{name}: two a zone", len(subnets), 2 * zones)
    used = {subnet["AvailabilityZone"] for subnet in subnets.values()}
    checks.equal(f"{name}: its zones", len(used), zones)
    blocks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets.values()]
    apart = all(not a.overlaps(b) for a in blocks for b in blocks if a is not b)
    checks.equal(f"{name}: its subnets are apart", apart, True)
    for kind, ids, tag in (("public", public, "elb"), ("private", private, "internal-elb")):
        tags = [{t["Key"]: t["Value"] for t in subnets[one]["Tags"]} for one in ids]
        roles = {one.get(f"kubernetes.io/role/{tag}") for one in tags}
        checks.equal(f"{name}: the role of {kind} subnets", roles, {"1"})

    tables = ec2.describe_route_tables(**in_vpc)["RouteTables"]
    tables = {table["RouteTableId"]: table for table in tables}
    summaries = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in summaries}
    gateways = ec2.describe_internet_gateways(**only({"attachment.vpc-id": outputs["VPC"]}))
    gateways = [one["InternetGatewayId"] for one in gateways["InternetGateways"]]
    ways = ways_out(tables, resources, "Public", "GatewayId")
    checks.equal(f"{name}: ways out of public subnets", ways, {one: gateways for one in public})
    nats = ec2.describe_nat_gateways(Filter=in_vpc["Filters"])["NatGateways"]
    nats = {one["SubnetId"]: one["NatGatewayId"] for one in nats}
    number = {"Single": 1, "HighlyAvailable": zones, "Disable": 0}[nat]
    checks.equal(f"{name}: its NAT gateways", len(nats), number)
    checks.equal(f"{name}: they are in public subnets", set(nats) <= set(public), True)
    ways = ways_out(tables, resources, "Private", "NatGatewayId")
    checks.equal(f"{name}: every private subnet has a table", sorted(ways), sorted(private))
    zone_of = {one: subnets[one]["AvailabilityZone"] for one in subnets}
    nat_of = {zone_of[subnet]: gateway for subnet, gateway in nats.items()}
    expected = {
        "Single": {one: list(nats.values()) for one in private},
        "HighlyAvailable": {one: [nat_of.get(zone_of[one])] for one in private},
        "Disable": {one: [] for one in private},
    }[nat]
    checks.equal(f"{name}: ways out of private subnets", ways, expected)

    roles = iam.list_roles()["Roles"]
    trusted = sorted(
        statement["Principal"]["Service"][0]
        for one in roles
        for statement in one["AssumeRolePolicyDocument"]["Statement"]
    )
    expected = ["eks-fargate-pods.amazonaws.com"] if role == "made" else []
    checks.equal(f"{name}: its roles trust", trusted, sorted([*expected, "eks.amazonaws.com"]))


def main(directory):
    checks = Checks()
    files = sorted(Path(directory).glob(f"{WRITTEN_FOR}.*-zones-*.cluster.json"))
    checks.equal("the grid", len(files), 24)
    for file in files:
        try:
            deployed(checks, file)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            checks.equal(f"{file.name} runs to its end", repr(error), None)
    print(f"{len(files)} stacks")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
