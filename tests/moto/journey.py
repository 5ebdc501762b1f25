"""What a user does with the service, looked at through boto3 at moto.

Every check is counted; the last line says how many passed and how many failed.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNTS = {"111111111111": "222222222222", "222222222222": "111111111111"}
REGION = "eu-central-1"
CLUSTER = "prod-1"
EXAMPLE_REGION = "ap-northeast-1"
EXAMPLE_CLUSTER = "fargate-example-cluster"
ONE_TRY = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=20)


class Checks:
    """Counts what holds and says what does not."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def equal(self, what, seen, expected):
        self.true(what, seen == expected, f"expected {expected!r}, saw {seen!r}")

    def true(self, what, holds, otherwise=""):
        if holds:
            self.passed += 1
            print(f"ok      {what}")
        else:
            self.failed += 1
            print(f"FAILED  {what}: {otherwise}")

    def part(self, what, run, *args):
        """Runs one part; what breaks it is one failure, and the next part runs all the same."""
        try:
            run(self, *args)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self.true(f"{what} runs to its end", False, repr(error))


class Answer:
    """What the service answered."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.text = body.decode()

    @property
    def json(self):
        return json.loads(self.text)


def fleet(method, path, body=None, media_type="application/json"):
    """Calls the service."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = urllib.request.Request(os.environ["MOTO_FLEET"] + path, body, method=method)
    request.add_header("Authorization", f"Bearer {os.environ['MOTO_DEMO_TOKEN']}")
    if body is not None:
        request.add_header("Content-Type", media_type)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.headers, refused.read())


def profiles(account, cluster=CLUSTER):
    return f"/v1/accounts/{account}/regions/{REGION}/clusters/{cluster}/fargate-profiles"


def pod_role(account):
    return f"arn:aws:iam::{account}:role/fargate-pod-execution"


def moto(service, region=REGION, **credentials):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=os.environ["MOTO_ENDPOINT"],
        config=ONE_TRY,
        **credentials,
    )


def eks_of(account, region=REGION):
    """EKS of an account, through a session of our own in it."""
    role = f"arn:aws:iam::{account}:role/onlooker"
    keys = moto("sts").assume_role(RoleArn=role, RoleSessionName="onlooker")["Credentials"]
    return moto(
        "eks",
        region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def at_moto(account, name, cluster=CLUSTER):
    """The profile as boto3 sees it, or None."""
    try:
        answer = eks_of(account).describe_fargate_profile(
            clusterName=cluster, fargateProfileName=name
        )
        return answer["fargateProfile"]
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None


def make_cluster(account, region, name):
    eks_of(account, region).create_cluster(
        name=name,
        roleArn=f"arn:aws:iam::{account}:role/eks",
        resourcesVpcConfig={"subnetIds": ["subnet-0a", "subnet-0b"]},
    )


def arranged(checks):
    """Clusters in moto, accounts in the fleet."""
    for account in ACCOUNTS:
        make_cluster(account, REGION, CLUSTER)
        account_input = {
            "accountId": account,
            "name": f"moto-{account[0]}",
            "podExecutionRoleARN": pod_role(account),
            "regions": [REGION, EXAMPLE_REGION],
        }
        registered = fleet("POST", "/v1/accounts", account_input)
        checks.equal(f"{account} is registered", registered.status, 201)
        role = registered.json.get("roleArn")
        checks.equal("its role is the default", role, f"arn:aws:iam::{account}:role/fargate-fleet")
    make_cluster("111111111111", EXAMPLE_REGION, EXAMPLE_CLUSTER)


def created(checks, account, other):
    """A profile is created, is there, is read in every form, and is in no other account."""
    name, base = f"web-{account[0]}", profiles(account)
    asked = {
        "name": name,
        "selectors": [{"namespace": "web", "labels": {"tier": "front"}}],
        "tags": {"team": "payments"},
    }
    job = fleet("POST", f"{base}?waitSeconds=60", asked)
    checks.equal(f"{name}: the creation ends within the wait", job.status, 200)
    checks.equal("the job succeeded", (job.json["state"], job.json.get("error")), ("succeeded", None))
    checks.equal("the profile is ACTIVE", job.json.get("profile", {}).get("status"), "ACTIVE")

    seen = at_moto(account, name)
    checks.true("boto3 finds it in its account", seen is not None, "it is not there")
    arn = seen["fargateProfileArn"]
    prefix = f"arn:aws:eks:{REGION}:{account}:fargateprofile/{CLUSTER}/{name}/"
    checks.true("its ARN names account, region and cluster", arn.startswith(prefix), arn)
    checks.equal("the service says the same ARN", job.json["profile"].get("arn"), arn)
    checks.equal("the account's role was given to it", seen["podExecutionRoleArn"], pod_role(account))
    checks.equal("its selectors arrived", seen["selectors"], asked["selectors"])
    checks.equal("its tags arrived", seen["tags"], asked["tags"])
    checks.equal("boto3 does not find it in the other account", at_moto(other, name), None)

    read = fleet("GET", f"{base}/{name}")
    checks.equal("it is read as JSON", (read.status, read.json.get("name")), (200, name))
    checks.equal("with its selectors", read.json.get("selectors"), asked["selectors"])
    table = fleet("GET", f"{base}/{name}?output=table")
    lines = table.text.splitlines()
    checks.true("as a table", lines[0].startswith("NAME") and name in lines[1], table.text)
    yaml = fleet("GET", f"{base}/{name}?output=yaml")
    checks.true("as YAML", f"name: {name}" in yaml.text and "status: ACTIVE" in yaml.text, yaml.text)
    absent = fleet("GET", f"{profiles(other)}/{name}")
    checks.equal("and is not found in the other account", absent.status, 404)


def repeated(checks, account):
    """The same profile again is adopted; another one of its name is a conflict."""
    name, base = f"web-{account[0]}", f"{profiles(account)}?waitSeconds=60"
    same = {
        "name": name,
        "selectors": [{"namespace": "web", "labels": {"tier": "front"}}],
        "tags": {"team": "payments"},
    }
    again = fleet("POST", base, same).json
    checks.equal("the same again succeeds", (again["state"], again.get("error")), ("succeeded", None))
    different = fleet("POST", base, {**same, "selectors": [{"namespace": "other"}]}).json
    checks.equal("a different one fails", different["state"], "failed")
    checks.equal("with a conflict", different.get("error", {}).get("code"), "conflict")
    selectors = at_moto(account, name)["selectors"]
    checks.equal("and changes nothing", selectors, same["selectors"])


def listed(checks, account):
    """The list is what boto3 lists, of this account alone."""
    job = fleet("POST", f"{profiles(account)}?waitSeconds=60", {"selectors": [{"namespace": "x"}]})
    generated = job.json.get("profileName")
    ours = [one["name"] for one in fleet("GET", profiles(account)).json["items"]]
    theirs = eks_of(account).list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"]
    checks.equal("the list is what boto3 lists", sorted(ours), sorted(theirs))
    checks.equal("with the generated name", sorted(ours), sorted([f"web-{account[0]}", generated]))


def refused(checks, account):
    """What is not there is told as a problem that says which thing is missing.

    Listing an unknown cluster is left to the simulator: moto answers that with 500.
    """
    for what, path in (
        ("profile", f"{profiles(account)}/nobody"),
        ("cluster", f"{profiles(account, 'nowhere')}/nobody"),
        ("account", profiles("333333333333")),
    ):
        problem = fleet("GET", path)
        checks.equal(f"GET {path} is not found", problem.status, 404)
        media_type = problem.headers.get_content_type()
        checks.equal("the answer is a problem", media_type, "application/problem+json")
        seen = (problem.json.get("code"), problem.json.get("resource"))
        checks.equal("it says what is missing", seen, ("not_found", what))
    job = fleet(
        "POST",
        f"{profiles(account, 'nowhere')}?waitSeconds=60",
        {"name": "web", "selectors": [{"namespace": "web"}]},
    ).json
    seen = (job["state"], job.get("error", {}).get("code"))
    checks.equal("a creation in an unknown cluster fails", seen, ("failed", "not_found"))
    job = fleet("DELETE", f"{profiles(account)}/nobody?waitSeconds=60").json
    seen = (job["state"], job.get("error", {}).get("code"))
    checks.equal("so does the deletion of an unknown profile", seen, ("failed", "not_found"))


def deleted(checks, account):
    """What is deleted is gone for both, and nothing else is."""
    name = f"web-{account[0]}"
    job = fleet("DELETE", f"{profiles(account)}/{name}?waitSeconds=60")
    checks.equal("the deletion ends within the wait", job.status, 200)
    seen = (job.json["state"], job.json.get("error"))
    checks.equal("the job succeeded", seen, ("succeeded", None))
    checks.equal("boto3 finds it no more", at_moto(account, name), None)
    gone = fleet("GET", f"{profiles(account)}/{name}")
    checks.equal("nor does the service", gone.status, 404)
    left = fleet("GET", profiles(account)).json["items"]
    checks.equal("the other profile is still there", len(left), 1)


def example_file(checks, path):
    """eksctl's example, as it stands."""
    account, body = "111111111111", Path(path).read_bytes()
    answer = fleet("POST", f"/v1/accounts/{account}/fargate-profiles", body, "application/yaml")
    checks.equal("the file is accepted", answer.status, 202)
    operation = answer.json
    deadline = time.monotonic() + 60
    while operation["state"] in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.2)
        operation = fleet("GET", operation["links"]["self"]).json
    checks.equal("the operation succeeds", operation["state"], "succeeded")
    checks.equal("with a job a profile", operation["counts"]["succeeded"], 2)
    names = eks_of(account, EXAMPLE_REGION).list_fargate_profiles(clusterName=EXAMPLE_CLUSTER)
    seen = sorted(names["fargateProfileNames"])
    checks.equal("boto3 finds its profiles", seen, ["fp-default", "fp-dev"])


def wait_until_up(url, process):
    """Waits until the address answers 200, its process has ended, or half a minute has passed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        os.kill(process, 0)
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer in 30 s")


def main(example):
    wait_until_up(os.environ["MOTO_ENDPOINT"] + "/moto-api/data.json", int(os.environ["MOTO_PROCESS"]))
    wait_until_up(os.environ["MOTO_FLEET"] + "/readyz", int(os.environ["MOTO_FLEET_PROCESS"]))
    checks = Checks()
    checks.part("the arrangement", arranged)
    for account, other in ACCOUNTS.items():
        checks.part("the creation", created, account, other)
        checks.part("the repetition", repeated, account)
        checks.part("the list", listed, account)
        checks.part("the refusal", refused, account)
        checks.part("the deletion", deleted, account)
    checks.part("the example", example_file, example)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
