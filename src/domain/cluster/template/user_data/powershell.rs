//! Windows: `Start-EKSBootstrap.ps1`, called by PowerShell.
//!
//! Commands of callers' own may use `$EKSBootstrapScriptFile` and the variables that are set before
//! them, as they may with eksctl.

use super::Node;

const SCRIPT: &str = "[string]$EKSBootstrapScriptFile = \
                      \"$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1\"";

/// All that a node has to know.
pub(super) fn own(node: Node<'_>) -> String {
    let bootstrap = &node.nodegroup.bootstrap;
    let mut lines = vec![SCRIPT.to_owned()];
    lines.extend(bootstrap.before.clone());
    if let Some(own) = &bootstrap.instead {
        let variables = parameters(node).into_iter();
        lines.extend(variables.map(|(name, value)| format!("[string]${name} = '{value}'")));
        lines.push(kubelet_map(node));
        lines.push(own.clone());
    } else {
        let given = parameters(node).into_iter();
        let given: Vec<String> = given
            .map(|(name, value)| format!("-{name} \"{value}\""))
            .collect();
        let given = given.join(" ");
        lines.push(format!(
            "& $EKSBootstrapScriptFile {given} 3>&1 4>&1 5>&1 6>&1"
        ));
    }
    in_powershell(&lines)
}

/// What runs before EKS makes a node join; none if there is nothing to run.
pub(super) fn before_eks(node: Node<'_>) -> Option<String> {
    let before = &node.nodegroup.bootstrap.before;
    (!before.is_empty()).then(|| in_powershell(before))
}

fn in_powershell(lines: &[String]) -> String {
    format!("<powershell>\n{}\n</powershell>", lines.join("\n"))
}

fn parameters(node: Node<'_>) -> Vec<(&'static str, String)> {
    let facts = node.facts;
    let arguments = kubelet_arguments(node).into_iter();
    let arguments: Vec<String> = arguments
        .map(|(name, value)| format!("--{name}={value}"))
        .collect();
    vec![
        ("EKSClusterName", node.spec.name.to_string()),
        ("APIServerEndpoint", facts.endpoint.clone()),
        ("Base64ClusterCA", facts.certificate_authority.clone()),
        ("ServiceCIDR", facts.service_cidr.clone()),
        ("DNSClusterIP", node.cluster_dns()),
        ("ContainerRuntime", "containerd".to_owned()),
        ("KubeletExtraArgs", arguments.join(" ")),
    ]
}

fn kubelet_arguments(node: Node<'_>) -> Vec<(&'static str, String)> {
    let mut arguments = vec![
        ("node-labels", node.labels()),
        ("register-with-taints", node.taints()),
    ];
    let most = node.nodegroup.bootstrap.max_pods;
    arguments.extend(most.map(|most| ("max-pods", most.to_string())));
    arguments
}

fn kubelet_map(node: Node<'_>) -> String {
    let pairs = kubelet_arguments(node).into_iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("'{name}' = '{value}'"))
        .collect();
    format!("$KubeletExtraArgsMap = @{{ {} }}", pairs.join("; "))
}
