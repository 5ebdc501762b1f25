"""Asks the API for every list with every filter, and prints the plans that Postgres logged."""

import datetime
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

program, jobs = sys.argv[1], int(sys.argv[2])
database = os.environ["DATABASE_URL"]


def psql(statement):
    command = ["psql", database, "-X", "-q", "-A", "-t", "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def token(name, *options):
    command = [program, "token", "create", "--name", name, "--role", "admin", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def ago(days):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
log_file = psql("show data_directory") + "/log"
everything = token("everything")
one = token("one", "--accounts", "000000000007")
ten = token("ten", "--accounts", ",".join(f"{n:012}" for n in range(10)))
many = token("many", "--accounts", ",".join(f"{n:012}" for n in range(150)))
operation = psql("select operation_id from operations limit 1 offset 100")
deep = psql("select job_id from job_rows where phase = 'blocked' order by seq desc limit 1")
webhook = psql("select webhook_id from webhooks where account_ids = '{000000000007}'")

FILTERS = [
    "", "state=failed", "state=running,waiting", "kind=create_cluster", "region=eu-west-1",
    "clusterName=prod-7", "profileName=none", "requestedBy=nobody", f"operationId={operation}",
    f"createdAfter={ago(30)}&requestedBy=nobody", f"createdBefore={ago(180)}&requestedBy=ci-7",
    f"createdBefore={ago(180)}", "accountId=000000000003,000000000004", "pageSize=1000",
]
AUDIT = [
    "", "actor=nobody", "actor=ci-7", "action=deleteAccount", "accountId=000000000003",
    f"createdAfter={ago(30)}&action=deleteAccount", f"createdBefore={ago(180)}",
    f"createdBefore={ago(180)}&actor=ci-7,nobody", "pageSize=1000",
]
REQUESTS = (
    [(who, f"/v1/jobs?{query}") for query in FILTERS for who in ("everything", "one", "ten")]
    + [("many", f"/v1/jobs?{query}") for query in ("", "requestedBy=nobody")]
    + [(who, f"/v1/audit-events?{query}") for query in AUDIT for who in ("everything", "one", "ten")]
    + [(who, f"/v1/operations?{query}") for query in ("", "accountId=000000000003", "pageSize=1000")
       for who in ("everything", "one", "many")]
    + [("everything", f"/v1/webhooks/{webhook}/deliveries?{query}") for query in ("", "state=failed")]
    + [(who, path) for path in ("/v1/webhooks", "/v1/tokens", "/v1/tokens?includeRevoked=true",
                                "/v1/accounts", "/v1/accounts?state=disabled")
       for who in ("everything", "one")]
    + [("one", f"/v1/jobs/{deep}"), ("one", "/v1/jobs?clusterName=deep&pageSize=1000")]
)
TOKENS = {"everything": everything, "one": one, "ten": ten, "many": many}
WHO = {
    "everything": "all accounts", "one": "one account", "ten": "10 accounts", "many": "150 accounts",
}


def ask(who, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    request.add_header("Authorization", "Bearer " + TOKENS[who])
    begun = time.monotonic()
    with urllib.request.urlopen(request) as answer:
        body = json.load(answer)
    return body, (time.monotonic() - begun) * 1000


def plans(text):
    """The plans of statements that a list or a read of jobs runs: name, milliseconds, plan."""
    entry = re.compile(
        r"LOG:  duration: ([\d.]+) ms  plan:\n\tQuery Text: -- (\w+).*?\n(\t[A-Z][^\n]*\(cost=.*?)(?=\n\d{4}-|\Z)", re.S)
    for milliseconds, name, plan in entry.findall(text):
        if name.startswith(("list_", "load_", "first_audit")):
            yield name, float(milliseconds), plan.replace("\n\t", "\n").lstrip("\t")


environment = os.environ | {"FLEET_LISTEN": f"127.0.0.1:{port}", "RUST_LOG": "warn"}
server = subprocess.Popen([program, "serve", "--role", "api"], env=environment)
try:
    for attempt in range(100):
        try:
            ask("everything", "/v1/whoami")
            break
        except OSError:
            time.sleep(0.1)
    version = psql("show server_version").split()[0]
    size = psql("select pg_size_pretty(pg_database_size(current_database()))")
    print(f"""# Plans of the lists

What PostgreSQL {version} does for every list and every filter, on {jobs:,} finished jobs in 1,000 accounts, as many
changes in the audit trail, and what belongs to them ({size}). Written by `tests/tools/list-plans`, which fills the
database, asks the API and takes the plans from the server's log; each list is asked twice, the second time counts.
The test `plans` holds the same bounds on a small history.

`items` is what the page holds, `more` whether it has a `nextPageToken`. Milliseconds are those of the whole request
with a client, with the plans' own measuring, on a machine that did other work. A page walks in windows, so a
statement may run several times: then the longest is shown.

| caller sees | request | items | more | ms |
|---|---|---|---|---|""")
    details = []
    for who, path in REQUESTS:
        ask(who, path)
        before = os.path.getsize(log_file)
        body, took = ask(who, path)
        time.sleep(0.05)
        with open(log_file, encoding="utf-8", errors="replace") as log:
            log.seek(before)
            text = log.read()
        items = len(body["items"]) if "items" in body else f"place {body['queuePosition']}"
        more = "yes" if "nextPageToken" in body else ""
        shown = path.replace(operation, "…").replace(deep, "…").replace(webhook, "…")
        print(f"| {WHO[who]} | `{shown}` | {items} | {more} | {took:.1f} |")
        details.append(f"\n## `{shown}`, {WHO[who]}\n")
        longest = {}
        for name, milliseconds, plan in plans(text):
            times, before_it, kept = longest.get(name, (0, -1.0, ""))
            if milliseconds > before_it:
                before_it, kept = milliseconds, plan
            longest[name] = (times + 1, before_it, kept)
        for name, (times, milliseconds, plan) in longest.items():
            often = f", the longest of {times}" if times > 1 else ""
            details.append(f"`{name}`, {milliseconds:.1f} ms{often}:\n\n```\n{plan.rstrip()}\n```\n")
    print("\n".join(details))
finally:
    server.terminate()
    server.wait()
