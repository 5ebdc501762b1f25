"""Reads all Fargate profiles of a fleet with boto3, the way a careful script would: 32 threads, one client an
account and region, botocore's standard retries, and clusters taken in turn from all accounts and regions, so that
no throttling bucket is asked more than the others. Prints one line of JSON.

    fleet_read.py --endpoint http://127.0.0.1:4580 --targets FILE

FILE (or - for the standard input) has a cluster a line: account, region, cluster, and an external id if any.
"""

import argparse
import json
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, zip_longest

import boto3
from botocore.config import Config

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 20}, max_pool_connections=32)
KEYS = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
THROTTLED = {"ThrottlingException", "TooManyRequestsException", "Throttling"}


class Counter:
    """Counts what goes over the wire, retries too."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = 0
        self.throttled = 0

    def watch(self, client):
        client.meta.events.register("response-received.*.*", self.count)
        return client

    def count(self, response_dict=None, parsed_response=None, **_):
        code = ((parsed_response or {}).get("Error") or {}).get("Code")
        status = (response_dict or {}).get("status_code")
        with self.lock:
            self.calls += 1
            self.throttled += status == 429 or code in THROTTLED


class Fleet:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.session = boto3.Session()
        self.counter = Counter()
        self.roles = {}
        self.clients = {}

    def client(self, service, region, keys):
        made = self.session.client(service, region_name=region, endpoint_url=self.endpoint, config=CONFIG, **keys)
        return self.counter.watch(made)

    def prepare(self, accounts, places, pool):
        """Assumes each account's role at once; makes a client for each account and region.

        A boto3 session makes its clients in one thread only.
        """
        sts = self.client("sts", next(iter(places))[1], KEYS)
        for account, keys in pool.map(lambda one: (one, assume(sts, one, accounts[one])), accounts):
            self.roles[account] = keys
        for account, region in places:
            self.clients[account, region] = self.client("eks", region, self.roles[account])

    def read(self, target):
        """How many profiles the cluster has, each described."""
        account, region, cluster = target
        eks = self.clients[account, region]
        described = 0
        for page in eks.get_paginator("list_fargate_profiles").paginate(clusterName=cluster):
            for name in page["fargateProfileNames"]:
                eks.describe_fargate_profile(clusterName=cluster, fargateProfileName=name)
                described += 1
        return described


def assume(sts, account, external_id):
    more = {"ExternalId": external_id} if external_id else {}
    role = f"arn:aws:iam::{account}:role/fargate-fleet"
    given = sts.assume_role(RoleArn=role, RoleSessionName="fleet-read", **more)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def in_turn(places):
    """One cluster of each account and region, then the next of each, ..."""
    rounds = zip_longest(*places.values())
    return [target for target in chain.from_iterable(rounds) if target]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--targets", required=True, type=argparse.FileType())
    arguments.add_argument("--threads", type=int, default=32)
    given = arguments.parse_args()

    accounts = {}
    places = defaultdict(list)
    for line in given.targets:
        account, region, cluster, *external_id = line.split()
        accounts[account] = external_id[0] if external_id else None
        places[account, region].append((account, region, cluster))
    if not places:
        sys.exit("there are no targets")

    begun = time.monotonic()
    fleet = Fleet(given.endpoint)
    with ThreadPoolExecutor(given.threads) as pool:
        fleet.prepare(accounts, places, pool)
        profiles = sum(pool.map(fleet.read, in_turn(places)))
    counter = fleet.counter
    seconds = time.monotonic() - begun
    print(json.dumps({"profiles": profiles, "calls": counter.calls, "throttled": counter.throttled, "seconds": seconds}))


if __name__ == "__main__":
    main()
