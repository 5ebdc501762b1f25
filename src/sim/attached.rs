//! How clusters are in their networks: the interfaces of their control planes and the group of these.

use serde_json::Value;

use super::clock::fresh_id;
use super::interfaces::{GroupSpec, InterfaceSpec};
use super::world::World;

/// What the descriptions of a control plane's interfaces begin with.
const CONTROL_PLANE: &str = "Amazon EKS ";

impl World {
    /// A cluster is being made: EKS gives it a security group, and interfaces in its subnets.
    pub(super) fn attach_cluster(&mut self, place: (&str, &str), name: &str, view: &Value) {
        let config = &view["resourcesVpcConfig"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().map(text).collect()
        };
        let (vpc_id, group) = (
            text(&config["vpcId"]),
            text(&config["clusterSecurityGroupId"]),
        );
        let tag = |key: String, value: &str| (key, value.to_owned());
        let spec = GroupSpec {
            vpc_id: vpc_id.clone(),
            name: format!("eks-cluster-sg-{name}-{}", fresh_id().as_u64_pair().1),
            description:
                "EKS created security group applied to ENI that is attached to EKS Control \
                          Plane master nodes, as well as any managed workloads."
                    .to_owned(),
            tags: [
                tag(format!("kubernetes.io/cluster/{name}"), "owned"),
                tag("aws:eks:cluster-name".to_owned(), name),
            ]
            .into(),
            ..GroupSpec::default()
        };
        self.put_group(place, &group, spec);
        let groups = [texts(&config["securityGroupIds"]), vec![group]].concat();
        for (subnet_id, number) in texts(&config["subnetIds"]).into_iter().zip(1..=2) {
            let id = fresh_id().simple().to_string();
            let interface = InterfaceSpec {
                vpc_id: vpc_id.clone(),
                subnet_id,
                description: format!("{CONTROL_PLANE}{name}"),
                status: "in-use".to_owned(),
                requester_id: Some("amazon-eks".to_owned()),
                security_groups: groups.clone(),
                ..InterfaceSpec::default()
            };
            self.put_interface(place, &format!("eni-0{number}{}", &id[..15]), interface);
        }
    }

    /// A cluster is gone, and its interfaces; its group too, unless somebody uses it.
    pub(super) fn detach_cluster(&mut self, (account, region): (&str, &str), name: &str) {
        let view = self
            .accounts
            .cluster(account, region, name)
            .map(|one| one.view());
        let network = self.network(account, region);
        let description = format!("{CONTROL_PLANE}{name}");
        let interfaces = &mut network.attached.interfaces;
        interfaces.retain(|_, one| one.description != description);
        let group = view.and_then(|view| {
            let id = &view["resourcesVpcConfig"]["clusterSecurityGroupId"];
            id.as_str().map(str::to_owned)
        });
        if let Some(group) = group.filter(|group| network.keeps_group(group).is_none()) {
            network.attached.groups.remove(&group);
        }
    }
}
