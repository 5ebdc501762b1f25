"""AssumeRole and GetCallerIdentity."""

import datetime
import json

import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT
from support import refused

ROLE = f"arn:aws:iam::{ACCOUNT}:role/fargate-fleet"


def test_a_session_carries_what_it_was_asked_for(assume, aws):
    answer = assume(session="job-1", SourceIdentity="alice", DurationSeconds=900)
    credentials = answer["Credentials"]
    assert answer["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/fargate-fleet/job-1"
    )
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":job-1")
    assert answer["SourceIdentity"] == "alice"
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=870) < left <= datetime.timedelta(seconds=901)
    identity = aws("sts", credentials).get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_unknown_keys_are_the_management_identity(sim, aws):
    identity = aws("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:user/management"


def test_external_ids_are_demanded_once_one_is_set(sim, assume):
    assume()
    assume(ExternalId="anything")
    sim.account(externalId="the-right-one")
    assume(ExternalId="the-right-one")
    for wrong in ({"ExternalId": "another"}, {}):
        assert refused(assume, **wrong) == (
            403,
            "AccessDenied",
            "User: arn:aws:iam::000000000000:user/management is not authorized to perform: "
            f"sts:AssumeRole on resource: {ROLE}",
        )
    assume(OTHER_ACCOUNT, ExternalId="another")


def test_switches_do_not_touch_the_external_id(sim, assume):
    sim.account(externalId="the-right-one")
    sim.account(denyAssumeRole=True)
    assert refused(assume, ExternalId="the-right-one").code == "AccessDenied"
    sim.account(denyAssumeRole=False)
    assume(ExternalId="the-right-one")
    assert refused(assume).code == "AccessDenied"
    sim.account(externalId="")
    assume()


@pytest.mark.parametrize(
    "role",
    [f"arn:aws:iam::{ACCOUNT}:role/admin", "arn:aws:iam::987654321098:role/fargate-fleet"],
)
def test_only_roles_of_the_fleet_can_be_assumed(assume, role):
    assert refused(assume, RoleArn=role).code == "AccessDenied"


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": "with space"},
        {"session": "a" * 65},
        {"SourceIdentity": "a:b"},
        {"ExternalId": "no spaces"},
        {"DurationSeconds": 43201},
        {"RoleArn": "arn:aws:iam::111111111111:user/somebody"},
    ],
)
def test_fields_out_of_their_limits_are_refused(assume, wrong):
    refusal = refused(assume, **wrong)
    assert (refusal.status, refusal.code) == (400, "ValidationError")


@pytest.mark.parametrize("policy", ["{", "[]", '{"Statement":[{"Effect":"Allow","Action":"eks:*"}]}'])
def test_malformed_session_policies_are_refused(assume, policy):
    refusal = refused(assume, Policy=policy)
    assert (refusal.status, refusal.code) == (400, "MalformedPolicyDocument")


def test_session_policies_have_a_size(assume):
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Sid": "x" * 2048}]})
    assert refused(assume, Policy=text).code == "PackedPolicyTooLarge"
    answer = assume(Policy={"Version": "2012-10-17", "Statement": allow})
    assert 0 < answer["PackedPolicySize"] <= 100


def test_chained_sessions_last_an_hour_at_most(aws, assume):
    chained = aws("sts", assume()["Credentials"])
    role = f"arn:aws:iam::{OTHER_ACCOUNT}:role/fargate-fleet"
    chained.assume_role(RoleArn=role, RoleSessionName="hop", DurationSeconds=3600)
    refusal = refused(
        chained.assume_role, RoleArn=role, RoleSessionName="hop", DurationSeconds=3601
    )
    assert refusal.code == "ValidationError"


def test_ended_sessions_are_told_so_by_both_services(sim, aws, assume):
    credentials = assume()["Credentials"]
    eks, sts = aws("eks", credentials), aws("sts", credentials)
    eks.list_clusters()
    sim.ok("DELETE", "/sessions")
    refusal = refused(eks.list_clusters)
    assert (refusal.status, refusal.code) == (403, "ExpiredTokenException")
    assert refused(sts.get_caller_identity).code == "ExpiredToken"
    aws("eks", assume()["Credentials"]).list_clusters()


def test_a_session_key_without_its_token_is_worth_nothing(aws, assume):
    credentials = {**assume()["Credentials"], "SessionToken": "forged"}
    assert refused(aws("eks", credentials).list_clusters).code == "UnrecognizedClientException"
    assert refused(aws("sts", credentials).get_caller_identity).code == "InvalidClientTokenId"


def test_other_operations_are_unknown(aws, sim):
    assert refused(aws("sts").get_session_token).code == "InvalidAction"
