#!/bin/bash
# Makes a node of Ubuntu join its cluster.
source /var/lib/cloud/scripts/eksctl/bootstrap.helper.sh

/etc/eks/bootstrap.sh "$CLUSTER_NAME" \
    --apiserver-endpoint "$API_SERVER_URL" \
    --b64-cluster-ca "$B64_CLUSTER_CA" \
    --dns-cluster-ip "$CLUSTER_DNS" \
    --kubelet-extra-args "$KUBELET_EXTRA_ARGS"

merge_kubelet_config
snap restart kubelet-eks
