#!/bin/bash
# Makes a node of Amazon Linux 2 join its cluster.
source /var/lib/cloud/scripts/eksctl/bootstrap.helper.sh

/etc/eks/bootstrap.sh "$CLUSTER_NAME" \
    --apiserver-endpoint "$API_SERVER_URL" \
    --b64-cluster-ca "$B64_CLUSTER_CA" \
    --dns-cluster-ip "$CLUSTER_DNS" \
    --container-runtime "$CONTAINER_RUNTIME" \
    --kubelet-extra-args "$KUBELET_EXTRA_ARGS"

merge_kubelet_config
systemctl daemon-reload
systemctl restart kubelet
