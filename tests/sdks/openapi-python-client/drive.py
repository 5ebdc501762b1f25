"""Creates a profile, waits for it, reads it and deletes it, through the generated client."""

import importlib
import json
import os
import re

from fargate_fleet import AuthenticatedClient, models
from fargate_fleet.api.access import get_whoami
from fargate_fleet.api.fargate_profiles import (
    create_fargate_profile,
    delete_fargate_profile,
    get_fargate_profile,
    list_fargate_profiles,
)
from fargate_fleet.api.jobs import get_job
from fargate_fleet.api.webhooks import create_webhook, delete_webhook, get_webhook
from fargate_fleet.types import UNSET

PLACE = {"account_id": "111111111111", "region": "eu-central-1", "cluster_name": "prod-1"}
NAME = os.environ["SDK_PROFILE"]


def all_operations_are_there():
    """This generator leaves out, with a warning only, what it does not understand."""
    with open(os.environ["OPENAPI"], encoding="utf-8") as file:
        document = json.load(file)
    operations = [item for path in document["paths"].values() for item in path.values()]
    for operation in operations:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation["operationId"]).lower()
        tag = operation["tags"][0].replace("-", "_")
        module = importlib.import_module(f"fargate_fleet.api.{tag}.{name}")
        assert module.sync_detailed, name
    print(len(operations), "operations")


def wait(client, job):
    while job.finished_at is UNSET:
        job = get_job.sync(job.id, client=client, wait_seconds=30)
    assert job.state == "succeeded", job
    return job


def is_missing(answer):
    assert answer.status_code == 404, answer
    assert isinstance(answer.parsed, models.Problem), answer
    assert answer.parsed.code == "not_found", answer


def drive_webhook(client):
    url = f"{os.environ['DEMO_URL']}/receiver"
    body = models.WebhookInput(url=url, event_types=["job.succeeded"], enabled=False)
    made = create_webhook.sync(client=client, body=body)
    assert get_webhook.sync(made.id, client=client).url == url, made
    assert delete_webhook.sync_detailed(made.id, client=client).status_code == 204
    is_missing(get_webhook.sync_detailed(made.id, client=client))


def main():
    all_operations_are_there()
    client = AuthenticatedClient(
        base_url=os.environ["DEMO_URL"], token=os.environ["DEMO_TOKEN"], timeout=60
    )
    me = get_whoami.sync(client=client)
    assert me.role == "admin", me

    labels = models.SelectorInputLabels.from_dict({"made-by": "sdk"})
    selector = models.SelectorInput(namespace=NAME, labels=labels)
    body = models.ProfileInput(name=NAME, selectors=[selector])
    job = create_fargate_profile.sync(
        **PLACE, client=client, body=body, idempotency_key=f"create-{NAME}"
    )
    job = wait(client, job)
    assert job.profile.status == "ACTIVE", job

    profile = get_fargate_profile.sync(**PLACE, profile_name=NAME, client=client)
    assert profile.selectors[0].labels.to_dict() == {"made-by": "sdk"}, profile
    listed = list_fargate_profiles.sync(**PLACE, client=client)
    assert NAME in [profile.name for profile in listed.items], listed

    wait(client, delete_fargate_profile.sync(**PLACE, profile_name=NAME, client=client))
    is_missing(get_fargate_profile.sync_detailed(**PLACE, profile_name=NAME, client=client))
    drive_webhook(client)


main()
