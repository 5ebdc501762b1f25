"""Creates a profile, waits for it, reads it and deletes it, through the generated client."""

import os

import fargate_fleet as sdk

PLACE = {"account_id": "111111111111", "region": "eu-central-1", "cluster_name": "prod-1"}
NAME = os.environ["SDK_PROFILE"]


def wait(jobs, job):
    while job.finished_at is None:
        job = jobs.get_job(job.id, wait_seconds=30)
    assert job.state == "succeeded", job
    return job


def is_missing(read):
    try:
        raise AssertionError(f"still there: {read()}")
    except sdk.exceptions.NotFoundException as error:
        assert error.data.code == "not_found", error


def drive_webhook(webhooks):
    url = f"{os.environ['DEMO_URL']}/receiver"
    body = sdk.WebhookInput(url=url, event_types=["job.succeeded"], enabled=False)
    made = webhooks.create_webhook(body)
    assert webhooks.get_webhook(made.id).url == url, made
    webhooks.delete_webhook(made.id)
    is_missing(lambda: webhooks.get_webhook(made.id))


def main():
    configuration = sdk.Configuration(
        host=os.environ["DEMO_URL"], access_token=os.environ["DEMO_TOKEN"]
    )
    with sdk.ApiClient(configuration) as client:
        me = sdk.AccessApi(client).get_whoami()
        assert me.role == "admin", me

        profiles, jobs = sdk.FargateProfilesApi(client), sdk.JobsApi(client)
        selector = sdk.SelectorInput(namespace=NAME, labels={"made-by": "sdk"})
        body = sdk.ProfileInput(name=NAME, selectors=[selector])
        job = profiles.create_fargate_profile(
            **PLACE, profile_input=body, idempotency_key=f"create-{NAME}"
        )
        job = wait(jobs, job)
        assert job.profile.status == "ACTIVE", job

        profile = profiles.get_fargate_profile(**PLACE, profile_name=NAME)
        assert profile.selectors[0].labels == {"made-by": "sdk"}, profile
        listed = profiles.list_fargate_profiles(**PLACE)
        assert NAME in [profile.name for profile in listed.items], listed

        wait(jobs, profiles.delete_fargate_profile(**PLACE, profile_name=NAME))
        is_missing(lambda: profiles.get_fargate_profile(**PLACE, profile_name=NAME))
        drive_webhook(sdk.WebhooksApi(client))


main()
