"""Load of tests/tools/upgrade: upgrade_load.py TOKEN URL...

Through each API, profiles are made and deleted on four clusters, and lists are read; each job is
followed to its end through all of them. Ends with 1 when an answer or an end is wrong.
"""

import concurrent.futures
import json
import sys
import urllib.error
import urllib.request
import uuid

TOKEN, APIS = sys.argv[1], sys.argv[2:]
ACCOUNTS = ["111111111111", "222222222222"]
ROUNDS = 6


def call(api, method, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def register(account):
    body = {
        "accountId": account,
        "name": account,
        "regions": ["eu-central-1"],
        "podExecutionRoleARN": f"arn:aws:iam::{account}:role/fargate-pod-execution",
    }
    try:
        call(APIS[0], "POST", "/v1/accounts", body)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise


def follow(job):
    """Through every API in turn, until each of them says that it has ended."""
    for api in APIS:
        while True:
            seen = call(api, "GET", f"/v1/jobs/{job['id']}?waitSeconds=30")
            if seen.get("finishedAt"):
                break
    assert seen["state"] == "succeeded", seen
    return seen


def client(number):
    api = APIS[number % len(APIS)]
    account, cluster = ACCOUNTS[number % 2], ["prod-1", "dev-1"][number // 2 % 2]
    profiles = f"/v1/accounts/{account}/regions/eu-central-1/clusters/{cluster}/fargate-profiles"
    done = 0
    for _ in range(ROUNDS):
        name = f"fp-{uuid.uuid4().hex[:12]}"
        new = {"name": name, "selectors": [{"namespace": name}]}
        jobs = [
            call(api, "POST", profiles, new),
            call(api, "DELETE", f"{profiles}/{name}"),
        ]
        call(api, "GET", profiles)
        done += len([follow(job) for job in jobs])
    return done


for account in ACCOUNTS:
    register(account)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    done = sum(pool.map(client, range(8)))
print(f"{done} changes have ended as they should, through {len(APIS)} API(s)")
