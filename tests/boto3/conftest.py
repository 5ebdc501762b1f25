"""Clients of the simulator at SIM_ENDPOINT. Every test begins with a fleet as at the start."""

import json
import os
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"
REGION = "eu-central-1"
CLUSTER = "prod-1"

# No retries: a test wants to see the answer itself.
ONE_TRY = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=20)


class Sim:
    """The controls under /_sim."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def call(self, method, path, body=None):
        """Answers (status, JSON)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sim{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def ok(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        assert status == 200, answer
        return answer

    def faults(self, *faults):
        self.ok("POST", "/faults", list(faults))

    def freeze(self):
        self.ok("POST", "/clock", {"frozen": True})

    def advance(self, seconds):
        self.ok("POST", "/clock", {"advanceSeconds": seconds})

    def account(self, account=ACCOUNT, **settings):
        self.ok("PUT", f"/accounts/{account}", settings)

    def cluster(self, method, rest="", body=None, cluster=CLUSTER):
        path = f"/accounts/{ACCOUNT}/regions/{REGION}/clusters/{cluster}{rest}"
        return self.ok(method, path, body)

    def put_profile(self, name, **spec):
        self.cluster("PUT", f"/fargate-profiles/{name}", spec)

    def record(self):
        return self.ok("GET", "/record")

    def calls(self, action):
        return [call for call in self.record()["calls"] if call["action"] == action]


@pytest.fixture(scope="session")
def endpoint():
    return os.environ["SIM_ENDPOINT"]


@pytest.fixture
def sim(endpoint):
    sim = Sim(endpoint)
    sim.ok("POST", "/reset")
    yield sim
    sim.ok("POST", "/reset")


@pytest.fixture
def aws(endpoint):
    """Makes a client: of the management identity, or with the credentials of a session."""

    def client(service, credentials=None, region=REGION, config=ONE_TRY):
        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=config,
        )

    return client


@pytest.fixture
def assume(sim, aws):
    """Assumes the role of an account and answers what STS says."""

    def assume(account=ACCOUNT, session="job-1", **more):
        if "Policy" in more and not isinstance(more["Policy"], str):
            more["Policy"] = json.dumps(more["Policy"])
        more.setdefault("RoleArn", f"arn:aws:iam::{account}:role/fargate-fleet")
        return aws("sts").assume_role(RoleSessionName=session, **more)

    return assume


@pytest.fixture
def eks_of(aws, assume):
    """An EKS client in a session of an account."""

    def eks_of(account=ACCOUNT, region=REGION, config=ONE_TRY, **more):
        return aws("eks", assume(account, **more)["Credentials"], region, config)

    return eks_of


@pytest.fixture
def eks(eks_of):
    return eks_of()


@pytest.fixture
def create(eks):
    """Creates a profile with defaults for everything but its name."""

    def create(name="web", client=None, account=ACCOUNT, **more):
        more.setdefault("clusterName", CLUSTER)
        more.setdefault("podExecutionRoleArn", f"arn:aws:iam::{account}:role/fargate-pod-execution")
        more.setdefault("selectors", [{"namespace": "default"}])
        answer = (client or eks).create_fargate_profile(fargateProfileName=name, **more)
        return answer["fargateProfile"]

    return create
