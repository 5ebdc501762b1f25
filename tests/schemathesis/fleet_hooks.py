"""Keeps Schemathesis' requests where they reach something, and from sawing off its own branch.

Valid random ids lead nowhere: they are turned into those of the demo's accounts, regions and
clusters. Ids that are not valid stay as they are, so that what must be refused still is.
"""

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid

import schemathesis

ACCOUNTS = ["111111111111", "222222222222", "333333333333"]
# Nobody registers it: what is unknown stays in the tests.
UNKNOWN_ACCOUNT = "999999999999"
# May be changed and deleted; the demo's own have to last.
SPARE_ACCOUNT = "555555555555"
REGIONS = ["eu-central-1", "us-east-1"]
CLUSTERS = ["prod-1", "dev-1", "unknown"]
OF_ACCOUNTS = {"getAccount", "updateAccount", "deleteAccount"}

VALID = {
    "accountId": re.compile(r"[0-9]{12}\Z"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+\Z"),
    "clusterName": re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}\Z"),
}


def call(method, path, body=None):
    request = urllib.request.Request(os.environ["DEMO_URL"] + path, method=method)
    request.add_header("Authorization", f"Bearer {os.environ['DEMO_TOKEN']}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def register_spare():
    body = {"accountId": SPARE_ACCOUNT, "name": "spare", "regions": ["eu-central-1"]}
    try:
        call("POST", "/v1/accounts", body)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


def one_of(choices, value):
    """The same choice for the same value, so that a failure can be repeated."""
    return value if value in choices else choices[sum(value.encode()) % len(choices)]


def is_valid(name, value):
    return isinstance(value, str) and VALID[name].match(value) is not None


def holds_null(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return value is None or any(holds_null(one) for one in inner)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out two things that are as they should be, and that the document can't say.

    A head is read up to 64 KiB. Null counts as absent in what eksctl reads too, and removes what it
    stands for in a merge patch.
    """
    if isinstance(case.body, (dict, list)) and holds_null(case.body):
        return False
    query = case.query if isinstance(case.query, dict) else {}
    return len(urllib.parse.urlencode(query, doseq=True)) < 32_768


def fresh_keys(case):
    """A key that came with another request is refused, and all examples have the same."""
    for values in (case.query, case.headers):
        for name in list(values or {}):
            value = values[name]
            is_key = name.lower() in ("requestid", "idempotency-key")
            if is_key and isinstance(value, str) and re.fullmatch("[!-~]{1,255}", value):
                values[name] = str(uuid.uuid4())


@schemathesis.hook
def before_call(context, case, kwargs):
    fresh_keys(case)
    path = case.path_parameters or {}
    operation = case.operation.definition.raw.get("operationId", "")
    if is_valid("accountId", path.get("accountId")):
        account = path["accountId"]
        if operation not in OF_ACCOUNTS:
            path["accountId"] = one_of([*ACCOUNTS, UNKNOWN_ACCOUNT], account)
        elif operation != "getAccount" and account in ACCOUNTS:
            register_spare()
            path["accountId"] = SPARE_ACCOUNT
    if is_valid("region", path.get("region")):
        path["region"] = one_of(REGIONS, path["region"])
    if is_valid("clusterName", path.get("clusterName")):
        path["clusterName"] = one_of(CLUSTERS, path["clusterName"])
