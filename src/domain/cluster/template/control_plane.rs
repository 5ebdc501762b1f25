//! The control plane itself.

use super::draft::{Draft, attribute_of, tag};
use super::vpc::Subnets;
use crate::domain::cluster::spec::ClusterSpec;
use serde_json::{Map, Value, json};

const ID: &str = "ControlPlane";

pub(super) fn add(
    draft: &mut Draft,
    spec: &ClusterSpec,
    role: &Value,
    (subnets, group): (&Subnets, &Value),
) {
    let mut cluster = json!({
        "AccessConfig": {
            "AuthenticationMode": spec.access.mode.as_str(),
            "BootstrapClusterCreatorAdminPermissions": spec.access.creator_admin,
        },
        "BootstrapSelfManagedAddons": false,
        "KubernetesNetworkConfig": {"IpFamily": "ipv4"},
        "Name": spec.name,
        "ResourcesVpcConfig": network(spec, subnets, group),
        "RoleArn": role,
        "Tags": tags(spec),
        "Version": spec.version,
    });
    if !spec.logging.types.is_empty() {
        let types = spec.logging.types.iter().map(|name| json!({"Type": name}));
        let types: Vec<Value> = types.collect();
        cluster["Logging"] = json!({"ClusterLogging": {"EnabledTypes": types}});
    }
    draft.add_tagged(ID, "AWS::EKS::Cluster", cluster);
    draft.export("ARN", &attribute_of(ID, "Arn"));
    let authority = attribute_of(ID, "CertificateAuthorityData");
    draft.output("CertificateAuthorityData", &authority);
    let group = attribute_of(ID, "ClusterSecurityGroupId");
    draft.export("ClusterSecurityGroupId", &group);
    draft.export("Endpoint", &attribute_of(ID, "Endpoint"));
}

fn network(spec: &ClusterSpec, subnets: &Subnets, group: &Value) -> Value {
    let all: Vec<&Value> = subnets.public.iter().chain(&subnets.private).collect();
    let mut network = Map::new();
    network.insert(
        "EndpointPrivateAccess".to_owned(),
        spec.endpoint.private.into(),
    );
    network.insert(
        "EndpointPublicAccess".to_owned(),
        spec.endpoint.public.into(),
    );
    network.insert("SecurityGroupIds".to_owned(), json!([group]));
    network.insert("SubnetIds".to_owned(), json!(all));
    if !spec.endpoint.public_cidrs.is_empty() {
        let cidrs = json!(spec.endpoint.public_cidrs);
        network.insert("PublicAccessCidrs".to_owned(), cidrs);
    }
    network.into()
}

fn tags(spec: &ClusterSpec) -> Value {
    let tags = spec.tags.iter();
    tags.map(|(key, value)| tag(key, &json!(value))).collect()
}
