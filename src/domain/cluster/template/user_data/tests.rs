use super::*;
use crate::domain::cluster::samples;
use serde_json::{Value, json};

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

/// The user data of the first nodegroup.
fn of(nodegroup: Value) -> Option<String> {
    told("nodeGroups", nodegroup)
}

fn of_managed(nodegroup: Value) -> Option<String> {
    told("managedNodeGroups", nodegroup)
}

fn told(list: &str, mut nodegroup: Value) -> Option<String> {
    nodegroup["name"] = json!("n");
    let mut config =
        json!({"metadata": {"name": "c", "region": "eu-central-1", "version": "1.34"}});
    config[list] = json!([nodegroup]);
    let spec = samples::spec(&config);
    let facts = ClusterFacts::placeholder();
    let nodegroup = &spec.nodegroups[0];
    if list == "nodeGroups" {
        Some(decoded(&own(&spec, nodegroup, &facts)))
    } else {
        managed(&spec, nodegroup, &facts).map(|text| decoded(&text))
    }
}

/// The parts of a document, with their types.
fn parts(text: &str) -> Vec<(String, String)> {
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let boundary = head.rsplit_once("boundary=").unwrap().1;
    assert!(text.ends_with(&format!("\r\n--{boundary}--\r\n")));
    let begin = format!("--{boundary}\r\n");
    let parts = text.split(&begin).skip(1);
    let part = |part: &str| {
        let (kind, body) = part.split_once("\r\n\r\n").unwrap();
        let body = body.trim_end_matches(&format!("--{boundary}--\r\n"));
        let kind = kind.strip_prefix("Content-Type: ").unwrap();
        (kind.to_owned(), body.trim_end_matches("\r\n").to_owned())
    };
    parts.map(part).collect()
}

#[test]
fn a_node_is_told_its_cluster_and_its_labels() {
    let spec = samples::guide();
    let text = own(&spec, &spec.nodegroups[0], &ClusterFacts::placeholder());
    let parts = parts(&decoded(&text));
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].0, "application/node.eks.aws");
    let config: Value = serde_json::from_str(&parts[0].1).unwrap();
    assert_eq!(config["spec"]["cluster"]["name"], "fargate-cluster");
    assert_eq!(
        config["spec"]["kubelet"]["flags"],
        json!([
            "--node-labels=alpha.eksctl.io/cluster-name=fargate-cluster,\
                alpha.eksctl.io/nodegroup-name=ng-1"
        ])
    );
    assert_eq!(
        config["spec"]["kubelet"]["config"]["clusterDNS"][0],
        "10.100.0.10"
    );
}

#[test]
fn amazon_linux_2023_takes_commands_settings_and_a_config_of_ones_own() {
    let text = of(json!({
        "preBootstrapCommands": ["echo --node-config", "#!/bin/sh\ntrue"],
        "overrideBootstrapCommand": "kind: NodeConfig\nspec: {instance: {localStorage: {strategy: RAID0}}}",
        "maxPodsPerNode": 50,
        "clusterDNS": "169.254.20.10",
        "kubeletExtraConfig": {"kubeReserved": {"cpu": "300m"}},
        "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}, {"key": "c", "effect": "NoExecute"}],
    }))
    .unwrap();
    let parts = parts(&text);
    let kinds: Vec<&str> = parts.iter().map(|(kind, _)| kind.as_str()).collect();
    let (script, config) = (mime::SCRIPT, "application/node.eks.aws");
    assert_eq!(kinds, [script, script, config, config, config]);
    assert_eq!(parts[0].1, "#!/bin/bash\necho --node-config");
    assert_eq!(parts[1].1, "#!/bin/sh\ntrue");
    let whole: Value = serde_json::from_str(&parts[2].1).unwrap();
    let kubelet = &whole["spec"]["kubelet"];
    assert_eq!(
        kubelet["config"],
        json!({"clusterDNS": ["169.254.20.10"], "kubeReserved": {"cpu": "300m"}})
    );
    assert_eq!(
        kubelet["flags"][1],
        "--register-with-taints=a=b:NoSchedule,c=:NoExecute"
    );
    let pods: Value = serde_json::from_str(&parts[3].1).unwrap();
    assert_eq!(pods["spec"]["kubelet"]["config"]["maxPods"], 50);
    let own: Value = serde_json::from_str(&parts[4].1).unwrap();
    assert_eq!(own["spec"]["instance"]["localStorage"]["strategy"], "RAID0");
}

#[test]
fn a_managed_nodegroup_is_told_only_what_eks_does_not_tell_it() {
    assert_eq!(of_managed(json!({})), None);
    let text = of_managed(json!({"maxPodsPerNode": 20})).unwrap();
    assert_eq!(parts(&text).len(), 1);
    let own = json!({"ami": "ami-1", "amiFamily": "AmazonLinux2023"});
    let text = of_managed(own).unwrap();
    assert!(text.contains("apiServerEndpoint"), "{text}");
    let windows = json!({"amiFamily": "WindowsServer2022CoreContainer"});
    assert_eq!(of_managed(windows.clone()), None);
    let mut windows = windows;
    windows["preBootstrapCommands"] = json!(["Write-Host hi"]);
    let expected = "<powershell>\nWrite-Host hi\n</powershell>";
    assert_eq!(of_managed(windows).as_deref(), Some(expected));
}

#[test]
fn amazon_linux_2_and_ubuntu_run_scripts_that_commands_can_build_on() {
    let text = of(json!({
        "amiFamily": "Ubuntu2204", "preBootstrapCommands": ["true"], "maxPodsPerNode": 9,
        "kubeletExtraConfig": {"podPidsLimit": 100}
    }))
    .unwrap();
    let config: Value =
        serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
    let script = "/var/lib/cloud/scripts/eksctl/bootstrap.ubuntu.sh";
    assert_eq!(
        config["runcmd"],
        json!([["/bin/bash", "-c", "true"], [script]])
    );
    let files = config["write_files"].as_array().unwrap();
    let content = |path: &str| {
        let file = files.iter().find(|file| file["path"] == path);
        file.unwrap()["content"].as_str().unwrap().to_owned()
    };
    assert!(content("/etc/eksctl/kubelet.env").contains("\nMAX_PODS=9\nNODE_LABELS="));
    assert_eq!(
        content("/etc/eksctl/kubelet-extra.json"),
        "{\"podPidsLimit\":100}"
    );
    assert!(content(script).contains("bootstrap.helper.sh") && content(script).contains("snap"));
    let own = of(json!({
        "amiFamily": "AmazonLinux2", "ami": "ami-1", "overrideBootstrapCommand": "/etc/eks/bootstrap.sh c"
    }))
    .unwrap();
    assert!(
        own.contains("[\"/bin/bash\",\"-c\",\"/etc/eks/bootstrap.sh c\"]"),
        "{own}"
    );
    assert!(own.contains("bootstrap.helper.sh") && !own.contains("bootstrap.al2.sh"));
    let managed = of_managed(json!({"amiFamily": "AmazonLinux2", "maxPodsPerNode": 7})).unwrap();
    assert!(parts(&managed)[0].1.contains("--max-pods=7"));
}

#[test]
fn bottlerocket_reads_settings() {
    let text = of(json!({
        "amiFamily": "Bottlerocket",
        "ssh": {"publicKeyName": "dev"},
        "labels": {"example.com/public": "true"},
        "taints": {"a": "b:NoSchedule"},
        "clusterDNS": "169.254.20.10",
        "bottlerocket": {"settings": {"motd": "Hello", "kubernetes": {"log-level": 3}}}
    }))
    .unwrap();
    for line in [
        "\n[settings]\nmotd = \"Hello\"\n",
        "\n[settings.host-containers.admin]\nenabled = true\n",
        "api-server = \"https://ENDPOINT-OF-THE-CLUSTER\"\n",
        "cluster-name = \"c\"\n",
        "cluster-dns-ip = \"169.254.20.10\"\n",
        "log-level = 3\n",
        "\"example.com/public\" = \"true\"\n",
        "[settings.kubernetes.node-taints]\na = [\"b:NoSchedule\"]\n",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    let managed = of_managed(json!({"amiFamily": "Bottlerocket", "maxPodsPerNode": 4})).unwrap();
    assert!(managed.contains("max-pods = 4") && !managed.contains("node-labels"));
}

#[test]
fn windows_is_told_by_powershell() {
    let text = of(json!({
        "amiFamily": "WindowsServer2022FullContainer", "preBootstrapCommands": ["Write-Host hi"]
    }))
    .unwrap();
    assert!(
        text.starts_with("<powershell>\n[string]$EKSBootstrapScriptFile = "),
        "{text}"
    );
    for part in [
        "\nWrite-Host hi\n& $EKSBootstrapScriptFile -EKSClusterName \"c\" ",
        "-DNSClusterIP \"10.100.0.10\"",
        "-KubeletExtraArgs \"--node-labels=alpha.eksctl.io/cluster-name=c,",
        "6>&1\n</powershell>",
    ] {
        assert!(text.contains(part), "{part} {text}");
    }
    let text = of(json!({
        "amiFamily": "WindowsServer2022FullContainer", "ami": "ami-1",
        "overrideBootstrapCommand": "& $EKSBootstrapScriptFile -EKSClusterName $EKSClusterName"
    }))
    .unwrap();
    assert!(text.contains("[string]$EKSClusterName = 'c'\n"), "{text}");
    assert!(
        text.contains("\n$KubeletExtraArgsMap = @{ 'node-labels' = "),
        "{text}"
    );
}
