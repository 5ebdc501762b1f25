"""Creates a profile, waits for it, reads it and deletes it, through the generated client."""

import json
import os

import fargate_fleet as sdk

PLACE = {"account_id": "111111111111", "region": "eu-central-1", "cluster_name": "prod-1"}
NAME = os.environ["SDK_PROFILE"]


def wait(jobs, job):
    while job.finished_at is None:
        job = jobs.get_job(job.id, wait_seconds=30)
    assert job.state == "succeeded", job
    return job


def main():
    configuration = sdk.Configuration(
        host=os.environ["DEMO_URL"], access_token=os.environ["DEMO_TOKEN"]
    )
    with sdk.ApiClient(configuration) as client:
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
        try:
            profiles.get_fargate_profile(**PLACE, profile_name=NAME)
            raise AssertionError("still there")
        except sdk.exceptions.NotFoundException as error:
            assert json.loads(error.body)["code"] == "not_found", error


main()
