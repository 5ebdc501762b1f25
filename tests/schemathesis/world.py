"""What the demo holds for the requests to find: jobs, an operation, tokens, webhooks, a receiver.

Each is made when it is first needed, and again when a request has taken it away.
"""

import functools
import http.server
import json
import os
import threading
import urllib.error
import urllib.request
import uuid

ACCOUNTS = ["111111111111", "222222222222", "333333333333"]
REGIONS = ["eu-central-1", "us-east-1"]
CLUSTERS = ["prod-1", "dev-1", "unknown"]
# Nobody registers it: what is unknown stays in the tests.
UNKNOWN_ACCOUNT = "999999999999"
# May be changed and deleted; the demo's own have to last.
SPARE_ACCOUNT = "555555555555"
# Its role does not exist.
BROKEN_ACCOUNT = "444444444444"
PROFILE = "fp-standing"

# Where the standing profiles are.
PLACE = {"accountId": ACCOUNTS[0], "region": REGIONS[0], "clusterName": "dev-1"}
PRINCIPAL = f"arn:aws:iam::{ACCOUNTS[0]}:role/platform-admins"
PROFILES = "/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/fargate-profiles".format(**PLACE)
SELECTORS = [{"namespace": "standing"}]


def call(method, path, body=None):
    request = urllib.request.Request(os.environ["DEMO_URL"] + path, method=method)
    request.add_header("Authorization", f"Bearer {os.environ['DEMO_TOKEN']}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=70) as answer:
        text = answer.read()
        return json.loads(text) if text else None


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes whatever webhooks tell."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@functools.cache
def receiver():
    """The URL of a receiver on this machine, which a demo may tell."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/fleet"


@functools.cache
def own_token():
    """The token of this run, which must not be revoked."""
    return call("GET", "/v1/whoami")["tokenId"]


@functools.cache
def ended_job():
    body = {"name": PROFILE, "selectors": SELECTORS}
    return call("POST", f"{PROFILES}?waitSeconds=60", body)["id"]


def profile():
    ended_job()
    return PROFILE


@functools.cache
def failed_job():
    return call("DELETE", f"{PROFILES}/never-made?waitSeconds=60")["id"]


def waiting_job():
    """One that waits for the role of its account, which the simulated AWS does not have."""
    register(BROKEN_ACCOUNT)
    path = f"/v1/accounts/{BROKEN_ACCOUNT}/regions/eu-central-1/clusters/prod-1/fargate-profiles"
    role = f"arn:aws:iam::{BROKEN_ACCOUNT}:role/pods"
    return call("POST", path, {"selectors": SELECTORS, "podExecutionRoleARN": role})["id"]


def end_waiting():
    """Ends what would wait for ever, and hold all who wait for it."""
    path = f"/v1/jobs?state=queued,running,waiting&accountId={BROKEN_ACCOUNT}"
    for job in call("GET", path)["items"]:
        call("POST", f"/v1/jobs/{job['id']}/cancel?waitSeconds=10")


def leaving_profile():
    """One that may be deleted."""
    call("POST", PROFILES, {"name": "fp-leaving", "selectors": SELECTORS})
    return "fp-leaving"


@functools.cache
def operation():
    config = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "dev-1", "region": "us-east-1"},
        "fargateProfiles": [{"name": PROFILE, "selectors": SELECTORS}],
    }
    return call("POST", "/v1/accounts/222222222222/fargate-profiles", config)["id"]


def fresh_token():
    return call("POST", "/v1/tokens", {"name": f"spare-{uuid.uuid4()}", "role": "viewer"})["id"]


@functools.cache
def token():
    return fresh_token()


def fresh_webhook():
    body = {"url": receiver(), "eventTypes": ["operation.finished"]}
    return call("POST", "/v1/webhooks", body)["id"]


def webhook():
    """A webhook that can be told, and a delivery of it."""
    if not ("webhook" in standing and is_enabled(standing["webhook"])):
        standing["webhook"] = fresh_webhook()
        answer = call("POST", f"/v1/webhooks/{standing['webhook']}/test")
        standing["delivery"] = answer["id"]
    return standing["webhook"]


def portal():
    """A webhook of a portal, which requests may name."""
    if not ("portal" in standing and is_enabled(standing["portal"])):
        ends = ["job.succeeded", "job.failed", "job.canceled", "operation.finished"]
        body = {"url": receiver().removesuffix("/fleet"), "format": "port", "eventTypes": ends}
        body.update({"clientId": "an-id", "secret": "a-secret"})
        standing["portal"] = call("POST", "/v1/webhooks", body)["id"]
    return standing["portal"]


def is_enabled(webhook_id):
    try:
        return call("GET", f"/v1/webhooks/{webhook_id}")["enabled"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return False


def delivery():
    webhook()
    return standing["delivery"]


def remove_webhook(webhook_id):
    try:
        call("DELETE", f"/v1/webhooks/{webhook_id}")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


def spare_account():
    register(SPARE_ACCOUNT)
    return SPARE_ACCOUNT


def new_account():
    """An id that nobody has registered."""
    standing["accounts"] = standing.get("accounts", 600000000000) + 1
    return str(standing["accounts"])


def register(account_id):
    body = {"accountId": account_id, "name": "made for tests", "regions": ["eu-central-1"]}
    try:
        call("POST", "/v1/accounts", body)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


# What was made and may go.
standing = {}
