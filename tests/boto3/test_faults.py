"""Faults, throttling and the record."""

import http.client
import time
import urllib.error
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from conftest import ACCOUNT, CLUSTER, OTHER_ACCOUNT, REGION
from support import refused


def statuses(sim, action):
    return [call.get("status") for call in sim.calls(action)]


def test_a_fault_answers_in_place_of_the_truth(sim, eks, create):
    sim.faults(
        {"action": "CreateFargateProfile", "status": 503, "times": 2},
        {"action": "DescribeCluster", "code": "ThrottlingException", "message": "slow down"},
    )
    for _ in range(2):
        refusal = refused(create)
        assert (refusal.status, refusal.code) == (503, "ServiceUnavailableException")
    assert refused(eks.describe_cluster, name=CLUSTER) == (429, "ThrottlingException", "slow down")
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == []
    create()
    eks.describe_cluster(name=CLUSTER)


def test_faults_wait_for_what_they_are_about(sim, eks_of):
    sim.faults(
        {
            "action": "DescribeCluster",
            "accountId": ACCOUNT,
            "region": REGION,
            "cluster": CLUSTER,
            "status": 500,
        }
    )
    eks_of(OTHER_ACCOUNT).describe_cluster(name=CLUSTER)
    eks_of(region="us-east-1").describe_cluster(name=CLUSTER)
    eks = eks_of()
    eks.describe_cluster(name="dev-1")
    assert refused(eks.describe_cluster, name=CLUSTER).code == "ServerException"
    eks.describe_cluster(name=CLUSTER)


def test_faults_hit_sts_in_its_own_format(sim, assume):
    sim.faults({"action": "AssumeRole", "accountId": ACCOUNT, "status": 503})
    assume(OTHER_ACCOUNT)
    assert refused(assume).code == "ServiceUnavailable"
    sim.faults({"action": "AssumeRole", "code": "AccessDenied", "message": "gone"})
    assert refused(assume) == (403, "AccessDenied", "gone")


def test_cleared_faults_do_not_happen(sim, eks):
    sim.faults({"action": "ListClusters", "status": 500})
    sim.ok("DELETE", "/faults")
    eks.list_clusters()


def test_a_cut_call_has_happened_all_the_same(sim, create, eks):
    sim.freeze()
    sim.faults({"action": "CreateFargateProfile", "cut": True})
    with pytest.raises(ConnectionClosedError):
        create(clientRequestToken="t")
    assert statuses(sim, "CreateFargateProfile") == [None]
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == ["web"]
    assert create(clientRequestToken="t")["status"] == "CREATING"
    assert sim.record()["overlaps"] == []


def test_botocore_repeats_a_cut_creation_with_its_token(sim, eks_of, create):
    sim.freeze()
    sim.faults({"action": "CreateFargateProfile", "cut": True})
    retrying = eks_of(config=Config(retries={"total_max_attempts": 3, "mode": "standard"}))
    assert create(client=retrying)["status"] == "CREATING"
    assert statuses(sim, "CreateFargateProfile") == [None, 200]


def test_delays_come_before_or_after_the_effect(sim, create, eks):
    sim.freeze()
    for fault in ({"delayMs": 200}, {"delayAfterMs": 200}):
        sim.faults({"action": "ListClusters", **fault})
        began = time.monotonic()
        eks.list_clusters()
        assert time.monotonic() - began >= 0.2
    sim.faults({"action": "CreateFargateProfile", "delayAfterMs": 50, "cut": True})
    with pytest.raises(ConnectionClosedError):
        create()
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == ["web"]


def test_a_truncated_answer_breaks_off(sim, eks, create, endpoint):
    sim.freeze()
    sim.faults({"action": "CreateFargateProfile", "truncate": True})
    # botocore takes the half for an answer that it can't read; urllib sees that it is a half.
    with pytest.raises(KeyError, match="fargateProfile"):
        create()
    assert statuses(sim, "CreateFargateProfile") == [200]
    sim.faults({"action": "ListClusters", "truncate": True})
    scope = f"test/20260101/{REGION}/eks/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"}
    request = urllib.request.Request(f"{endpoint}/clusters", headers=headers)
    with pytest.raises(http.client.IncompleteRead) as caught:
        urllib.request.urlopen(request, timeout=20).read()
    assert caught.value.partial.startswith(b'{"clusters":')
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == ["web"]


def test_statuses_that_nobody_knows_yet_can_be_shown(sim, eks):
    sim.put_profile("web")
    sim.faults(
        {"action": "DescribeFargateProfile", "setStatus": "SOMETHING_NEW"},
        {"action": "DescribeCluster", "setStatus": "PENDING"},
    )
    shown = eks.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName="web")
    assert shown["fargateProfile"]["status"] == "SOMETHING_NEW"
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "PENDING"
    shown = eks.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName="web")
    assert shown["fargateProfile"]["status"] == "ACTIVE"


def test_a_throttled_account_is_answered_429_and_others_are_not(sim, eks_of, create):
    eks, other = eks_of(), eks_of(OTHER_ACCOUNT)
    sim.account(throttle=True)
    for call in (eks.list_clusters, create):
        refusal = refused(call)
        assert (refusal.status, refusal.code) == (429, "TooManyRequestsException")
    other.list_clusters()
    sim.account(throttle=False)
    eks.list_clusters()


def test_buckets_are_apart_for_accounts_regions_and_mutations(sim, eks_of, create):
    eks, elsewhere, other = eks_of(), eks_of(region="us-east-1"), eks_of(OTHER_ACCOUNT)
    sim.ok("PUT", "/limits", {"readsPerSecond": 0})
    for client in (eks, elsewhere, other):
        assert refused(client.list_clusters).code == "TooManyRequestsException"
    create(client=eks)
    sim.ok("PUT", "/limits", {"readsPerSecond": 200, "mutationsPerSecond": 0})
    assert refused(create, "two", client=eks).code == "TooManyRequestsException"


def test_the_record_tells_every_call_and_who_made_it(sim, eks_of, create):
    sim.freeze()
    create(client=eks_of(session="job-7", SourceIdentity="alice"))
    refused(create)
    record = sim.record()
    assert [call["action"] for call in record["calls"]] == [
        "AssumeRole",
        "AssumeRole",
        "CreateFargateProfile",
        "CreateFargateProfile",
    ]
    call = record["calls"][2]
    assert call.pop("at").endswith("Z")
    assert call == {
        "seq": record["calls"][1]["seq"] + 1,
        "accountId": ACCOUNT,
        "region": REGION,
        "action": "CreateFargateProfile",
        "cluster": CLUSTER,
        "profile": "web",
        "status": 200,
        "changed": True,
        "sessionName": "job-7",
        "sourceIdentity": "alice",
    }
    assumed = next(call for call in record["calls"] if call.get("sourceIdentity"))
    assert (assumed["action"], assumed["accountId"]) == ("AssumeRole", ACCOUNT)
    assert assumed["sessionName"] == "job-7"
    after = sim.ok("GET", f"/record?after={call['seq']}")
    assert [call["status"] for call in after["calls"]] == [409]


@pytest.mark.parametrize(
    "method,path,body",
    [
        ("POST", "/faults", [{"action": "Nonsense"}]),
        ("POST", "/faults", [{"action": "ListClusters", "sTatus": 500}]),
        ("POST", "/faults", [{"action": "ListClusters", "status": 200}]),
        ("POST", "/faults", [{"action": "ListClusters", "times": 0}]),
        ("POST", "/faults", [{"action": "ListClusters", "cut": True, "status": 500}]),
        ("POST", "/faults", {"action": "ListClusters"}),
        ("PUT", f"/accounts/{ACCOUNT}", {"throttel": True}),
        ("PUT", f"/accounts/{ACCOUNT}", {"throttle": "yes"}),
        ("POST", "/clock", {"frozen": 1}),
        ("POST", "/clock", {"advanceSeconds": -1}),
        ("PUT", "/limits", {"unknown": 1}),
        ("GET", "/record?after=x", None),
    ],
)
def test_wrong_controls_are_refused_with_a_sentence(sim, method, path, body):
    status, answer = sim.call(method, path, body)
    assert status == 400
    assert len(answer["message"].split()) > 3


def test_controls_of_what_is_not_there_are_not_found(sim):
    assert sim.call("PUT", "/accounts/999999999999", {})[0] == 404
    assert sim.call("DELETE", f"/accounts/{ACCOUNT}/regions/{REGION}/clusters/none")[0] == 404
    assert sim.call("GET", "/nonsense")[0] == 404


def test_a_reset_brings_the_first_fleet_back(sim, eks, create):
    create()
    sim.cluster("DELETE", cluster="dev-1")
    sim.ok("POST", "/reset")
    assert sim.record() == {"calls": [], "overlaps": []}
    assert eks.list_clusters()["clusters"] == ["dev-1", "prod-1"]
    assert eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"] == []


@pytest.mark.parametrize("path,status", [("/clusters", 403), ("/nonsense", 404)])
def test_unsigned_and_unknown_requests_are_refused(sim, endpoint, path, status):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{endpoint}{path}", timeout=20)
    assert caught.value.code == status
    caught.value.close()


def test_oversized_bodies_are_refused(sim, endpoint):
    request = urllib.request.Request(f"{endpoint}/", b"x" * 300_000, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    assert caught.value.code == 413
    caught.value.close()
