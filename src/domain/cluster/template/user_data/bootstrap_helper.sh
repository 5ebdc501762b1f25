#!/bin/bash
# Sourced by what makes a node join: who the node is, and what its kubelet is told.
set -euo pipefail

source /etc/eksctl/kubelet.env

# Instances answer only to those who bring a session's token.
imds=http://169.254.169.254/latest
TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 600' "$imds/api/token")
get_metadata() {
    curl -sf -H "X-aws-ec2-metadata-token: $TOKEN" "$imds/meta-data/$1"
}
INSTANCE_ID=$(get_metadata instance-id)
INSTANCE_LIFECYCLE=$(get_metadata instance-life-cycle)

NODE_LABELS="$NODE_LABELS,node-lifecycle=$INSTANCE_LIFECYCLE,alpha.eksctl.io/instance-id=$INSTANCE_ID"
NODE_TAINTS=${NODE_TAINTS:-}
MAX_PODS=${MAX_PODS:-}
CLUSTER_DNS=${CLUSTER_DNS:-}
CONTAINER_RUNTIME=${CONTAINER_RUNTIME:-containerd}

KUBELET_EXTRA_ARGS="--node-labels=$NODE_LABELS"
if [ -n "$NODE_TAINTS" ]; then
    KUBELET_EXTRA_ARGS="$KUBELET_EXTRA_ARGS --register-with-taints=$NODE_TAINTS"
fi
if [ -n "$MAX_PODS" ]; then
    KUBELET_EXTRA_ARGS="$KUBELET_EXTRA_ARGS --max-pods=$MAX_PODS"
fi

KUBELET_CONFIG=/etc/kubernetes/kubelet/kubelet-config.json
KUBELET_EXTRA_CONFIG=/etc/eksctl/kubelet-extra.json
TMP_KUBE_CONF=/tmp/kubelet-conf.json

# Puts the caller's settings of the kubelet over its own.
merge_kubelet_config() {
    jq -s '.[0] * .[1]' "$KUBELET_CONFIG" "$KUBELET_EXTRA_CONFIG" > "$TMP_KUBE_CONF"
    mv "$TMP_KUBE_CONF" "$KUBELET_CONFIG"
}
