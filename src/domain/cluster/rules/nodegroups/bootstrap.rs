//! How nodes join their cluster.

use super::Wrong;
use crate::domain::cluster::image::{Bootstrap, ImageFamily};
use crate::domain::cluster::spec::NodegroupKind;
use crate::domain::cluster::spec::nodegroup::{BootstrapSpec, ImageSpec, SshSpec};
use crate::domain::decode::yaml_tree;
use crate::domain::eksctl::NodeGroup;
use crate::domain::invalid::quoted;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// EC2 takes 16 KiB of user data; what we add needs some of it.
const MAX_USER_DATA: usize = 11 * 1024;
const MAX_COMMANDS: usize = 50;
const MAX_PODS: u32 = 1000;
/// What the kubelet of a node of EKS's must have as it is.
const FIXED: [&str; 7] = [
    "kind",
    "apiVersion",
    "address",
    "clusterDomain",
    "authentication",
    "authorization",
    "serverTLSBootstrap",
];
/// What EKS, or this service, tells Bottlerocket of its cluster.
const INJECTED: [&str; 3] = ["cluster-certificate", "api-server", "cluster-name"];

pub(super) fn of(
    kind: NodegroupKind,
    input: &NodeGroup,
    (image, ssh): (&ImageSpec, Option<&SshSpec>),
    wrong: &mut Wrong<'_>,
) -> BootstrapSpec {
    check_sizes(input, wrong);
    check_family(kind, input, image.family, wrong);
    check_override(kind, input, image, wrong);
    check_runtime(input, wrong);
    check_kubelet(input, wrong);
    let bottlerocket = input.bottlerocket.clone().unwrap_or_default();
    check_settings(kind, input, wrong);
    let open = ssh.is_some_and(|ssh| ssh.allow);
    let admin = open && image.family.is_bottlerocket();
    BootstrapSpec {
        before: input.pre_bootstrap_commands.clone(),
        instead: input.override_bootstrap_command.clone(),
        max_pods: input.max_pods_per_node.filter(|most| *most > 0),
        cluster_dns: input.cluster_dns.clone(),
        kubelet: input.kubelet_extra_config.clone(),
        bottlerocket: bottlerocket.settings,
        admin_container: bottlerocket
            .enable_admin_container
            .or(admin.then_some(true)),
    }
}

fn check_sizes(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    wrong.within("maxPodsPerNode", input.max_pods_per_node, 0..=MAX_PODS);
    if input.pre_bootstrap_commands.len() > MAX_COMMANDS {
        let message = format!("at most {MAX_COMMANDS} commands");
        wrong.say("preBootstrapCommands", message);
    }
    let json = |value: Option<&Map<String, Value>>| {
        value.map_or(0, |value| {
            serde_json::to_string(value).unwrap_or_default().len()
        })
    };
    let settings = input
        .bottlerocket
        .as_ref()
        .and_then(|one| one.settings.as_ref());
    let parts = [
        (
            "preBootstrapCommands",
            input.pre_bootstrap_commands.iter().map(String::len).sum(),
        ),
        (
            "overrideBootstrapCommand",
            input
                .override_bootstrap_command
                .as_ref()
                .map_or(0, String::len),
        ),
        (
            "kubeletExtraConfig",
            json(input.kubelet_extra_config.as_ref()),
        ),
        ("bottlerocket/settings", json(settings)),
    ];
    let whole: usize = parts.iter().map(|(_, bytes)| bytes).sum();
    if whole > MAX_USER_DATA {
        let largest = parts.into_iter().max_by_key(|(_, bytes)| *bytes);
        let key = largest.map_or("preBootstrapCommands", |(key, _)| key);
        let message = format!(
            "commands and settings of nodes may have {MAX_USER_DATA} bytes together, as EC2 takes 16 KiB of \
             user data; these have {whole}: load the rest from elsewhere when a node starts"
        );
        wrong.say(key, message);
    }
}

/// What images of a family can't be told.
fn check_family(
    kind: NodegroupKind,
    input: &NodeGroup,
    family: ImageFamily,
    wrong: &mut Wrong<'_>,
) {
    let mut not = |key: &str, given: bool| {
        if given {
            wrong.say(key, format!("nodes of {family} do not take it: remove it"));
        }
    };
    match family.bootstrap() {
        Bootstrap::Settings => {
            not(
                "preBootstrapCommands",
                !input.pre_bootstrap_commands.is_empty(),
            );
            not(
                "overrideBootstrapCommand",
                input.override_bootstrap_command.is_some(),
            );
            not("kubeletExtraConfig", input.kubelet_extra_config.is_some());
        }
        Bootstrap::PowerShell => {
            not("kubeletExtraConfig", input.kubelet_extra_config.is_some());
            let managed = kind == NodegroupKind::Managed;
            not(
                "overrideBootstrapCommand",
                managed && input.override_bootstrap_command.is_some(),
            );
        }
        Bootstrap::Nodeadm | Bootstrap::Script => {}
    }
    if input.bottlerocket.is_some() && !family.is_bottlerocket() {
        let message =
            format!("it is for amiFamily Bottlerocket or BottlerocketFips, and this is {family}");
        wrong.say("bottlerocket", message);
    }
}

fn check_override(
    kind: NodegroupKind,
    input: &NodeGroup,
    image: &ImageSpec,
    wrong: &mut Wrong<'_>,
) {
    const KEY: &str = "overrideBootstrapCommand";
    let family = image.family;
    let way = family.bootstrap();
    let Some(command) = &input.override_bootstrap_command else {
        // Self-managed nodes join by the script of EKS's images, which images made of those have too.
        let joins = way == Bootstrap::Settings || way == Bootstrap::Nodeadm;
        let joins = joins || kind == NodegroupKind::SelfManaged;
        if image.id.is_some() && !joins {
            let message = format!(
                "an image of your own of {family} needs it: say what makes its nodes join the cluster"
            );
            wrong.say(KEY, message);
        }
        return;
    };
    if way == Bootstrap::Nodeadm {
        let config = yaml_tree(command).ok();
        let kind = config.as_ref().map(|config| &config["kind"]);
        if kind.and_then(Value::as_str) != Some("NodeConfig") {
            let message = "nodes of Amazon Linux 2023 join by a NodeConfig: expected its YAML, with \
                           apiVersion: node.eks.aws/v1alpha1, kind: NodeConfig and spec";
            wrong.say(KEY, message);
        }
    } else if kind == NodegroupKind::Managed && image.id.is_none() && way == Bootstrap::Script {
        let message = "EKS makes the nodes of its own images join: set ami to an image of your own, or \
                       use preBootstrapCommands";
        wrong.say(KEY, message);
    }
}

fn check_runtime(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    const KEY: &str = "containerRuntime";
    let Some(runtime) = input.container_runtime.as_deref() else {
        return;
    };
    if runtime != "containerd" {
        let message = format!(
            "no image has {} since Kubernetes 1.24: use containerd, or leave it out",
            quoted(runtime)
        );
        wrong.say(KEY, message);
    } else if input.override_bootstrap_command.is_some() {
        let message =
            "overrideBootstrapCommand says how nodes join, their runtime too: remove this";
        wrong.say(KEY, message);
    }
}

fn check_kubelet(input: &NodeGroup, wrong: &mut Wrong<'_>) {
    if let Some(address) = &input.cluster_dns
        && address.parse::<IpAddr>().is_err()
    {
        let message = format!(
            "invalid address {}: expected one such as 169.254.20.10",
            quoted(address)
        );
        wrong.say("clusterDNS", message);
    }
    for key in FIXED {
        let settings = input.kubelet_extra_config.as_ref();
        if settings.is_some_and(|settings| settings.contains_key(key)) {
            let message = "nodes could not join the cluster with another: remove it";
            wrong.say(&format!("kubeletExtraConfig/{key}"), message);
        }
    }
}

fn check_settings(kind: NodegroupKind, input: &NodeGroup, wrong: &mut Wrong<'_>) {
    let bottlerocket = input.bottlerocket.as_ref();
    let Some(settings) = bottlerocket.and_then(|one| one.settings.as_ref()) else {
        return;
    };
    let admin = settings.get("host-containers");
    let admin = admin.and_then(|one| one.get("admin")?.get("enabled"));
    if admin.is_some() && bottlerocket.is_some_and(|one| one.enable_admin_container.is_some()) {
        let message = "settings.host-containers.admin.enabled says so too: set one of the two";
        wrong.say("bottlerocket/enableAdminContainer", message);
    }
    let Some(kubernetes) = settings.get("kubernetes") else {
        return;
    };
    let Some(kubernetes) = kubernetes.as_object() else {
        let message = "expected an object with named fields";
        wrong.say("bottlerocket/settings/kubernetes", message);
        return;
    };
    let mut not = |key: &str, message: String| {
        if kubernetes.contains_key(key) {
            wrong.say(&format!("bottlerocket/settings/kubernetes/{key}"), message);
        }
    };
    for (key, instead) in [
        ("node-labels", "labels"),
        ("node-taints", "taints"),
        ("max-pods", "maxPodsPerNode"),
    ] {
        not(key, format!("use the nodegroup's {instead}"));
    }
    for key in INJECTED {
        not(
            key,
            "nodes are told so of their own cluster: remove it".to_owned(),
        );
    }
    if kind == NodegroupKind::Managed || input.cluster_dns.is_some() {
        let message = "EKS tells nodes so, or the nodegroup's clusterDNS does: remove it";
        not("cluster-dns-ip", message.to_owned());
    }
}
