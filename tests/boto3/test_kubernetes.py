"""The Kubernetes API of clusters, with tokens that botocore signs as `aws eks get-token` does."""

import json
import urllib.request

import pytest
from conftest import ACCOUNT, CLUSTER, OTHER_ACCOUNT, REGION, token

PODS = "api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"
COREDNS = "apis/apps/v1/namespaces/kube-system/deployments/coredns"


def test_the_endpoint_of_a_cluster_answers_a_token_of_its_own(sim, eks, api, endpoint, assume):
    there = eks.describe_cluster(name=CLUSTER)["cluster"]["endpoint"]
    assert there == f"{endpoint}/_kubernetes/{ACCOUNT}/{REGION}/{CLUSTER}"
    status, nodes = api("api/v1/nodes")
    assert (status, len(nodes["items"])) == (200, 2)
    mine = assume()["Credentials"]
    assert api("api/v1/nodes", token=token(endpoint, mine, "dev-1"))[0] == 401
    assert api("api/v1/nodes", token=token(endpoint, mine, seconds=901))[0] == 401
    assert api("api/v1/nodes", credentials=assume(OTHER_ACCOUNT)["Credentials"])[0] == 401
    status, refused = api("api/v1/nodes", token="k8s-aws-v1.abc")
    assert (status, refused["kind"], refused["reason"]) == (401, "Status", "Unauthorized")
    sim.ok("DELETE", "/sessions")
    assert api("api/v1/nodes", credentials=mine)[0] == 401
    assert [call["status"] for call in sim.calls("KubernetesList")] == [200] + [401] * 5


def test_an_entry_alone_lets_a_principal_in_but_do_nothing(sim, eks, api):
    user = "arn:aws:iam::000000000000:user/management"
    keys = {"AccessKeyId": "test", "SecretAccessKey": "test"}
    assert api("api/v1/pods", credentials=keys)[0] == 401
    eks.create_access_entry(clusterName=CLUSTER, principalArn=user)
    status, refused = api("api/v1/pods", credentials=keys)
    assert (status, refused["reason"]) == (403, "Forbidden")
    assert f'User "{user}" cannot list resource "pods"' in refused["message"]


def test_coredns_stays_pending_until_its_pods_are_made_anew(sim, api):
    sim.freeze()
    sim.cluster("PUT", body={"nodes": False})
    assert {pod["status"]["phase"] for pod in api(PODS)[1]["items"]} == {"Pending"}
    sim.put_profile("fp-dns", selectors=[{"namespace": "kube-system"}])
    sim.advance(600)
    assert api(COREDNS)[1]["status"]["availableReplicas"] == 0
    annotations = {"eks.amazonaws.com/compute-type": "fargate"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    kind = "application/strategic-merge-patch+json"
    status, patched = api(COREDNS, "PATCH", patch, kind=kind)
    assert (status, patched["metadata"]["generation"]) == (200, 2)
    sim.advance(60)
    done = api(COREDNS)[1]["status"]
    assert (done["observedGeneration"], done["availableReplicas"], done["replicas"]) == (2, 2, 2)
    names = [node["metadata"]["name"] for node in api("api/v1/nodes")[1]["items"]]
    assert len(names) == 2 and all(name.startswith("fargate-ip-") for name in names)
    assert api(COREDNS, "PATCH", patch, kind="application/json-patch+json")[0] == 415


def test_a_load_balancer_keeps_its_service(sim, api):
    sim.freeze()
    services = "api/v1/namespaces/default/services"
    service = {
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    assert api(services, "POST", service)[0] == 201
    assert api(services, "POST", service)[0] == 409
    assert api(services, "POST", {"metadata": {"name": "bare"}, "spec": {}})[0] == 422
    sim.advance(120)
    made = api(f"{services}/web")[1]["status"]["loadBalancer"]["ingress"]
    assert made[0]["hostname"].endswith(".elb.amazonaws.com")
    assert "deletionTimestamp" in api(f"{services}/web", "DELETE")[1]["metadata"]
    sim.advance(60)
    assert api(f"{services}/web")[0] == 404


def test_lists_come_in_pages(sim, api):
    services = "api/v1/namespaces/default/services"
    for number in range(5):
        body = {"metadata": {"name": f"s-{number}"}, "spec": {"ports": [{"port": 80}]}}
        assert api(services, "POST", body)[0] == 201
    names, token = [], ""
    while token is not None:
        page = api(f"{services}?limit=2&continue={token}")[1]
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue")
    assert names == [f"s-{number}" for number in range(5)]


def test_faults_and_the_record(sim, api):
    sim.faults(
        {"action": "Kubernetes", "cluster": CLUSTER, "status": 503, "message": "try later"},
        {"action": "KubernetesGet", "resource": "deployments/kube-system/coredns", "cut": True},
    )
    status, refused = api("api/v1/services")
    assert (status, refused["reason"], refused["message"]) == (503, "ServiceUnavailable", "try later")
    with pytest.raises(Exception):
        api(COREDNS)
    assert api(COREDNS)[0] == 200
    call = sim.calls("KubernetesGet")[-1]
    assert (call["cluster"], call["resource"]) == (CLUSTER, "deployments/kube-system/coredns")


def test_a_cluster_says_what_it_is(api, endpoint):
    with urllib.request.urlopen(f"{endpoint}/_kubernetes/{ACCOUNT}/{REGION}/{CLUSTER}/version") as answer:
        assert json.load(answer)["major"] == "1"
    kinds = {one["kind"] for one in api("apis/apps/v1")[1]["resources"]}
    assert kinds == {"Deployment"}
    status, refused = api("api/v1/secrets")
    assert (status, refused["message"]) == (404, "the server could not find the requested resource")
