"""Clients of the simulator at SIM_ENDPOINT. Every test begins with a fleet as at the start."""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.session import get_session
from botocore.signers import RequestSigner

sys.path.insert(0, str(Path(__file__).parents[1] / "aws-models"))
from answers import Checker  # noqa: E402
from errors import Refused  # noqa: E402
from wire import Answer  # noqa: E402

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
        self.has_faults = False

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
        self.has_faults = True
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
def aws(endpoint, sim):
    """Makes a client: of the management identity, or with the credentials of a session.

    Every answer that it gets is held to AWS's models. Faults may show what AWS has not.
    """
    wrong = []

    def held(operation_model, response_dict, **_):
        service, action = operation_model.service_model, operation_model.name
        model = service._service_description
        answer = Answer(
            response_dict["status_code"], response_dict["headers"], response_dict["body"]
        )
        if sim.has_faults:
            return
        if answer.status >= 300:
            found = Refused(service.service_name, model, action, answer).wrong
        else:
            checker = Checker(service.service_name, model)
            found = checker.succeeded(action, answer.status, answer.headers, answer.body)
        wrong.extend(f"{service.service_name} {action}: {why}" for why in found)

    def client(service, credentials=None, region=REGION, config=ONE_TRY):
        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        made = boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=config,
        )
        made.meta.events.register("before-parse", held)
        return made

    yield client
    assert not wrong, "\n".join(wrong)


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


def token(endpoint, credentials, cluster=CLUSTER, seconds=60):
    """What `aws eks get-token` prints."""
    session = get_session()
    session.set_credentials(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials.get("SessionToken"),
    )
    sts = session.create_client("sts", region_name=REGION, endpoint_url=endpoint)
    model = sts.meta.service_model
    emitter = session.get_component("event_emitter")
    signer = RequestSigner(
        model.service_id, REGION, "sts", "v4", session.get_credentials(), emitter
    )
    request = {
        "method": "GET",
        "url": f"{endpoint}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name=REGION, expires_in=seconds, operation_name=""
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


@pytest.fixture
def api(endpoint, assume):
    """Calls a cluster's API: answers (status, JSON)."""

    def api(path, method="GET", body=None, **more):
        credentials = more.get("credentials") or assume()["Credentials"]
        bearer = more.get("token") or token(endpoint, credentials)
        where = f"{ACCOUNT}/{REGION}/{more.get('cluster', CLUSTER)}"
        data = None if body is None else json.dumps(body).encode()
        url = f"{endpoint}/_kubernetes/{where}/{path}"
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Authorization", f"Bearer {bearer}")
        request.add_header("Content-Type", more.get("kind", "application/json"))
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    return api
