"""Keeps Schemathesis' requests where they reach something, and from sawing off its own branch.

Valid random ids lead nowhere: most are turned into those of things that exist (world). Ids that
are not valid stay as they are, so that what must be refused still is.
"""

import os
import re
import uuid
import zlib
from datetime import datetime, timedelta, timezone

import answers
import exceptions
import schemathesis
import texts
import world
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData, UseAfterFree
from schemathesis.specs.openapi import stateful

VALID = {
    "accountId": re.compile(r"[0-9]{12}\Z"),
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+\Z"),
    "clusterName": re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}\Z"),
    "profileName": re.compile(r"[a-z0-9-]{1,63}\Z"),
    "principalArn": re.compile(
        r"(?=.{1,2048}\Z)arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/([!-.0-~][!-~]*/)?[A-Za-z0-9_+=,.@-]{1,64})\Z"
    ),
}
NAME = re.compile(r"[ -~]{1,100}\Z")
URL = re.compile(r"https?://[!-~]{1,2041}\Z")
CALLBACK = {"callback": re.compile(r"[0-9a-fA-F-]{36}\Z"), "callbackRun": re.compile(r"[!-~]{1,2048}\Z")}
ROLE = re.compile(r"(arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:iam::)[0-9]{12}(:role/.+)\Z")

# What stands for a valid id, by operation or for all that have it in their path.
STANDING = {
    "cancelJob": {"jobId": world.waiting_job},
    "retryJob": {"jobId": world.failed_job},
    "revokeToken": {"tokenId": world.fresh_token},
    "deleteWebhook": {"webhookId": world.fresh_webhook},
    "deleteFargateProfile": {"profileName": world.leaving_profile},
    "deleteAccount": {"accountId": world.spare_account},
    "updateAccount": {"accountId": world.spare_account},
    "": {
        "jobId": world.ended_job,
        "operationId": world.operation,
        "tokenId": world.token,
        "webhookId": world.webhook,
        "deliveryId": world.delivery,
        "profileName": world.profile,
        "principalArn": lambda: world.PRINCIPAL,
    },
}
# Chains begin with a POST. Schemathesis takes `requestId` for the id of something that no answer
# holds, and would begin with none of ours.
is_likely_root = stateful.is_likely_root_transition
stateful.is_likely_root_transition = lambda operation, _, produced: is_likely_root(operation, None, produced)

# Ids that answers have told, and those of them that would hold up the run, or end it.
told, barred = set(), set()


def stays(value):
    """Whether a value stays as it is: one in four, the same ones in every run."""
    return zlib.crc32(str(value).encode()) % 4 == 1


def one_of(choices, value):
    """The same choice for the same value, so that a failure can be repeated."""
    return value if value in choices else choices[zlib.crc32(str(value).encode()) % len(choices)]


def is_valid(name, value):
    if not isinstance(value, str):
        return False
    if name in VALID:
        return VALID[name].match(value) is not None
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def operation_of(case):
    return case.operation.definition.raw.get("operationId", "")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Open enums are closed to requests: there the document says so in an extension."""
    texts.document.update(raw_schema)
    for name, schema in raw_schema["components"]["schemas"].items():
        if name.endswith(("Input", "Patch")):
            close_enums(schema)
    if os.environ.get("FLEET_SHORT"):
        read_little_of_files(raw_schema)
    answers.keep_at_exit(
        operation["operationId"]
        for item in raw_schema["paths"].values()
        for operation in item.values()
        if "operationId" in operation
    )


def read_little_of_files(document):
    """A file has 500 keys, 6,000 cases: of a file for profiles a short run tries what is acted on."""
    schemas = document["components"]["schemas"]
    whole = schemas["ClusterConfig"]
    acted_on = ("apiVersion", "kind", "metadata", "iam", "fargateProfiles")
    part = {key: whole["properties"][key] for key in acted_on}
    iam = schemas["ClusterIAM"]
    keys = [key for key in iam["properties"] if key.startswith("fargatePodExecutionRole")]
    part["iam"] = {**iam, "properties": {key: iam["properties"][key] for key in keys}}
    schemas["ClusterConfigForProfiles"] = {**whole, "properties": part}
    for path in document["paths"].values():
        operation = path.get("post", {})
        if operation.get("operationId") == exceptions.FILE:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            schema["$ref"] = "#/components/schemas/ClusterConfigForProfiles"


def close_enums(schema):
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, (dict, list)):
            close_enums(inner)
    if isinstance(schema, dict) and "x-extensible-enum" in schema:
        schema["enum"] = schema["x-extensible-enum"]


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = operation_of(case)
    place(operation, case)
    fresh_keys(case)
    agreeing_names(case)
    query = case.query or {}
    standing_callback(query)
    token = query.get("pageToken")
    if isinstance(token, str) and 1 <= len(token) <= 1024 and not stays(token):
        del query["pageToken"]
    headers = case.headers or {}
    if operation in (exceptions.FILE, "getOperation"):
        hurry(query, headers)
    if isinstance(headers.get("If-Match"), str) and not stays(headers["If-Match"]):
        headers["If-Match"] = "*"
    if isinstance(case.body, dict):
        fit(operation, case.path_parameters or {}, case.body)
    if operation == "deleteCluster":
        delete_none_of_the_demo(query, case.path_parameters or {})


def delete_none_of_the_demo(query, path):
    """The name is asked for twice; and the demo's clusters are still needed."""
    name = path.get("clusterName")
    if not is_valid("clusterName", name):
        return
    if "unowned" in query and str(query["unowned"]).lower() == "true":
        name = path["clusterName"] = "unknown"
    if isinstance(query.get("confirm"), str) and not stays(query["confirm"]):
        query["confirm"] = name


def standing_callback(query):
    """A callback names a webhook and a run, both or neither."""
    valid = {name: matches(pattern, query.get(name)) for name, pattern in CALLBACK.items()}
    if any(valid[name] and stays(query[name]) for name in valid):
        return
    if all(valid.values()):
        query.update({"callback": world.portal(), "callbackRun": "r_standing"})
    elif all(valid[name] for name in valid if name in query):
        for name in valid:
            query.pop(name, None)


def hurry(query, headers):
    """Operations are looked at once a second by who waits for them: the examples wait for none."""
    if str(query.get("waitSeconds")) == "30":
        query["waitSeconds"] = 0
    if headers.get("Prefer") == "wait=30":
        headers["Prefer"] = "wait=0"


def place(operation, case):
    """Leads a path to where something is."""
    path = case.path_parameters or {}
    for name, value in list(path.items()):
        if not is_valid(name, value):
            continue
        if name == "accountId":
            path[name] = account(operation, value)
        elif name == "region":
            path[name] = one_of(world.REGIONS, value)
        elif name == "clusterName":
            path[name] = one_of(world.CLUSTERS, value)
        elif not leads(value, case):
            standing = STANDING.get(operation, {}).get(name) or STANDING[""][name]
            path[name] = standing()
            if name == "profileName":
                path.update({at: world.PLACE[at] for at in world.PLACE if is_valid(at, path[at])})


def leads(value, case):
    """Whether an id stays: in a chain along links what answers told, else one that is unknown."""
    if value in barred or value == world.own_token():
        return False
    if case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL and value in told:
        return True
    return value not in told and stays(value)


def account(operation, value):
    standing = STANDING.get(operation, {}).get("accountId")
    if standing is None:
        # Jobs in accounts that the simulated AWS does not have would wait for ever.
        return value if value in told and operation == "getAccount" else one_of([*world.ACCOUNTS, world.UNKNOWN_ACCOUNT], value)
    return value if value not in world.ACCOUNTS and (value in told or stays(value)) else standing()


def fresh_keys(case):
    """A key that came with another request is refused, and all examples have the same."""
    key = str(uuid.uuid4())
    for values in (case.query, case.headers):
        for name in list(values or {}):
            value = values[name]
            is_key = name.lower() in ("requestid", "idempotency-key")
            if is_key and isinstance(value, str) and re.fullmatch("[!-~]{1,255}", value):
                values[name] = key


def agreeing_names(case):
    """Who is named in the header and in its twin must be one person."""
    header = (case.headers or {}).get("X-On-Behalf-Of")
    twin = (case.query or {}).get("onBehalfOf")
    if isinstance(header, str) and isinstance(twin, str) and not stays(twin):
        case.query["onBehalfOf"] = header


def fit(operation, path, body):
    """Makes fields agree with each other where no schema says that they must."""
    if operation == "registerAccount" and body.get("accountId") in world.ACCOUNTS:
        body["accountId"] = world.new_account()
    if operation.endswith("Webhook") and matches(URL, body.get("url")):
        body["url"] = world.receiver()
    if operation.endswith("Webhook") and body.get("format", "standard") == "standard":
        for name in ("secret", "clientId"):
            if isinstance(body.get(name), str) and not stays(body[name]):
                del body[name]
    of_account = body.get("accountId", path.get("accountId"))
    profiles = body.get("fargateProfiles", [])
    for part in [body, *(profiles if isinstance(profiles, list) else [])]:
        for name in ("roleArn", "podExecutionRoleARN"):
            role = part.get(name) if isinstance(part, dict) else None
            if is_valid("accountId", of_account) and matches(ROLE, role) and not stays(role):
                part[name] = ROLE.sub(rf"\g<1>{of_account}\g<2>", role)
    if operation == "createToken":
        # Names of tokens are unique.
        if matches(NAME, body.get("name")) and not stays(body["name"]):
            body["name"] = f"token-{uuid.uuid4()}"
        if isinstance(body.get("expiresAt"), str):
            ends(body)
    metadata = body.get("metadata")
    if operation == exceptions.FILE and isinstance(metadata, dict):
        for name, choices in (("region", world.REGIONS), ("name", world.CLUSTERS)):
            of = "clusterName" if name == "name" else name
            if is_valid(of, metadata.get(name)) and not stays(metadata[name]):
                metadata[name] = one_of(choices, metadata[name])


def ends(body):
    """A token ends in days to come, said in one way."""
    if stays(body["expiresAt"]):
        return
    if "expiresInDays" in body:
        del body["expiresAt"]
    elif re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", body["expiresAt"]):
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        body["expiresAt"] = tomorrow.isoformat(timespec="seconds")


def matches(pattern, value):
    return isinstance(value, str) and pattern.match(value) is not None


@schemathesis.hook
def after_call(context, case, response):
    operation = operation_of(case)
    answers.count(operation, case.operation.method.upper(), response)
    if operation in ("cancelJob", "retryJob"):
        world.end_waiting()
    if not 200 <= response.status_code < 300:
        return
    body = json_of(response)
    note_ids(body)
    if operation == "createWebhook" and isinstance(body, dict):
        few_webhooks(body["id"])


def few_webhooks(webhook_id):
    """Or every job would be told to hundreds."""
    world.standing.setdefault("webhooks", []).append(webhook_id)
    if len(world.standing["webhooks"]) > 5:
        world.remove_webhook(world.standing["webhooks"].pop(0))


def note_ids(value):
    if not isinstance(value, dict):
        return
    for name in ("id", "accountId"):
        if isinstance(value.get(name), str):
            told.add(value[name])
            if value.get("accountId") == world.BROKEN_ACCOUNT:
                barred.add(value[name])
    for name in ("items", "jobs"):
        for inner in value.get(name) or []:
            note_ids(inner)


def json_of(response):
    try:
        return response.json()
    except ValueError:
        return None


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """What is as it should be, and the document can't say. All else is a failure."""
    operation = operation_of(case)
    if isinstance(failure, RejectedPositiveData):
        problem = json_of(response)
        status = response.status_code
        if case.media_type == "application/yaml" and status in (400, 413, 422):
            # To a schema YAML is any text; what it holds is held against the one of JSON by the service.
            return False
        return not (isinstance(problem, dict) and exceptions.may_refuse(operation, status, problem))
    if isinstance(failure, AcceptedNegativeData):
        # Null counts as absent in what eksctl reads, and removes what it stands for in a merge patch.
        # Headers that nobody knows are no fault of a request.
        return not (holds_null(case.body) or has_only_more_headers(case) or is_valid_but_encoded(case))
    if isinstance(failure, UseAfterFree):
        return not is_there_for_a_reason(operation, response)
    if isinstance(failure, JsonSchemaError):
        return not texts.fits(case, response)
    return True


def is_valid_but_encoded(case):
    """Whether a case was made valid, and counts as invalid because `place` has touched its path: its
    ARN is percent-encoded there by then, and is held against the pattern of what it stands for."""
    made = getattr(case.meta and case.meta.phase.data, "description", None)
    return (made or "").lower().endswith("positive test case") and "principalArn" in (case.path_parameters or {})


def is_there_for_a_reason(operation, response):
    """Whether an answer after a deletion is as it should be."""
    if operation == "getFargateProfile":
        # It is not the profile, but the job that looks for it.
        return response.status_code == 202
    # Revoked tokens are kept, to be seen as such.
    return operation == "getToken" and "revokedAt" in (json_of(response) or {})


def has_only_more_headers(case):
    data = case.meta.phase.data
    more = data.description == "Object with unexpected properties"
    return more and data.parameter_location == ParameterLocation.HEADER


def holds_null(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return value is None or any(holds_null(one) for one in inner)
