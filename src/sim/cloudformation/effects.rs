//! What the resources of stacks do to the simulated world, and what they answer to `Ref` and `Fn::GetAtt`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::kind::Kind;
use super::make_eks::check_types;
use super::names::{handler, iam_arn, missing, owned, random_hex, tags_of};
use super::properties::{list_tags, number, text};
use super::stack::{Made, Stack};
use crate::sim::arn::partition;
use crate::sim::clock::{fresh_id, wall};
use crate::sim::nodegroup::OwnGroup;
use crate::sim::roles::Role;
use crate::sim::world::World;

/// A physical id, and attributes.
pub(super) type Facts = (String, BTreeMap<String, String>);

/// These, or why there are none.
pub(super) type Answer = Result<Facts, String>;

impl World {
    /// Makes a resource, which is under way from now on.
    pub(super) fn make(
        &mut self,
        stack: &Stack,
        kind: &Kind,
        logical: &str,
        physical: &str,
        properties: &Value,
    ) -> Answer {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let plain = |pairs: &[(&str, &str)]| Ok(plain(physical, pairs));
        match kind.name {
            name if name.starts_with("AWS::EC2::") => {
                self.make_network(stack, kind, logical, physical, properties)
            }
            "AWS::IAM::Role" => self.make_role(stack, logical, physical, properties),
            "AWS::IAM::InstanceProfile" => {
                plain(&[("Arn", &iam_arn(stack, "instance-profile", physical))])
            }
            "AWS::IAM::ManagedPolicy" => {
                plain(&[("PolicyArn", &iam_arn(stack, "policy", physical))])
            }
            "AWS::EKS::Cluster" => self.make_cluster(stack, logical, physical, properties),
            "AWS::EKS::Nodegroup" => self.make_nodegroup(stack, physical, properties),
            "AWS::EKS::Addon" => self.make_addon(stack, kind, properties),
            "AWS::EKS::AccessEntry" => self.make_access_entry(stack, properties),
            "AWS::EKS::Capability" => self.make_capability(stack, logical, properties),
            "AWS::AutoScaling::AutoScalingGroup" => {
                check_types(&types_of_templates(stack))?;
                let arn = format!(
                    "arn:{}:autoscaling:{region}:{account}:autoScalingGroup:{}:autoScalingGroupName/{physical}",
                    partition(region),
                    fresh_id()
                );
                plain(&[("AutoScalingGroupARN", &arn)])
            }
            _ => plain(&[("Id", physical)]),
        }
    }

    /// A resource is there at last.
    pub(super) fn made(&mut self, stack: &Stack, made: &Made) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let property = |name| text(&made.properties, name).unwrap_or_default();
        match made.kind {
            "AWS::EC2::Route" if property("GatewayId").starts_with("igw-") => {
                let table = property("RouteTableId");
                self.network(account, region).public_tables.insert(table);
            }
            "AWS::EC2::SubnetRouteTableAssociation" => {
                let network = self.network(account, region);
                if let Some(subnet) = network.subnets.get_mut(&property("SubnetId")) {
                    subnet.table = Some(property("RouteTableId"));
                }
            }
            // IAM spreads it from now on.
            "AWS::IAM::Role" => {
                if let Some(role) = self.iam(account).roles.get_mut(&made.physical) {
                    role.made_at = Some(stack.at);
                }
            }
            "AWS::EKS::Cluster" => {
                if let Some(cluster) = self.accounts.cluster(account, region, &made.physical) {
                    "ACTIVE".clone_into(&mut cluster.status);
                }
            }
            "AWS::EKS::Nodegroup" => self.with_nodegroup(stack, made, |one| {
                one.status = "ACTIVE";
                one.active_from = Some(stack.at);
            }),
            "AWS::EKS::Capability" => self.with_capability(stack, made, |one| {
                one.status = "ACTIVE";
            }),
            "AWS::AutoScaling::AutoScalingGroup" => {
                let name = cluster_of_group(stack, made);
                if let Some(cluster) = self.accounts.cluster(account, region, &name) {
                    let group = own_group(stack, made);
                    let groups = &mut cluster.details().node_stacks;
                    groups.insert(made.physical.clone(), group);
                }
            }
            _ => {}
        }
    }

    /// Begins to delete a resource; the error says why that can't be.
    pub(super) fn unmake(&mut self, stack: &Stack, made: &Made) -> Result<(), String> {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        self.sync_balancers(account, region);
        match made.kind {
            "AWS::EC2::VPC" => {
                let network = self.network(account, region);
                if let Some(why) = network.keeps_vpc(&made.physical) {
                    return Err(handler("InvalidRequest", &why));
                }
            }
            "AWS::EC2::Subnet" => {
                let network = self.network(account, region);
                if let Some(why) = network.keeps_subnet(&made.physical) {
                    return Err(handler("InvalidRequest", &why));
                }
            }
            "AWS::EC2::SecurityGroup" => {
                let network = self.network(account, region);
                if let Some(why) = network.keeps_group(&made.physical) {
                    return Err(handler("InvalidRequest", &why));
                }
            }
            "AWS::EKS::Cluster" => {
                let (now, settle) = (stack.at, self.clock.scale(self.options.settle_time));
                if let Some(cluster) = self.accounts.cluster(account, region, &made.physical) {
                    cluster.settle(now, settle);
                    if let Some(why) = cluster.protects_itself() {
                        return Err(handler("InvalidRequest", &why));
                    }
                    if let Some(why) = cluster.keeps_it() {
                        return Err(handler("ResourceConflict", &why));
                    }
                    "DELETING".clone_into(&mut cluster.status);
                }
            }
            "AWS::EKS::Nodegroup" => {
                self.with_nodegroup(stack, made, |one| one.status = "DELETING");
            }
            "AWS::AutoScaling::AutoScalingGroup" => {
                let name = cluster_of_group(stack, made);
                if let Some(cluster) = self.accounts.cluster(account, region, &name) {
                    cluster.details().node_stacks.remove(&made.physical);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A resource is gone.
    #[expect(clippy::too_many_lines, reason = "an arm for each type")]
    pub(super) fn unmade(&mut self, stack: &Stack, made: &Made) {
        let (account, region) = (&stack.caller.account, &stack.caller.region);
        let property = |name| text(&made.properties, name).unwrap_or_default();
        let id = &made.physical;
        match made.kind {
            "AWS::EC2::VPC" => {
                let network = self.network(account, region);
                network.ipv6_blocks.remove(id);
                network.vpcs.remove(id);
            }
            "AWS::EC2::VPCEndpoint" => self.unmake_endpoint(stack, id, &made.properties),
            "AWS::EC2::Subnet" => drop(self.network(account, region).subnets.remove(id)),
            "AWS::EC2::KeyPair" => {
                self.network(account, region).stock.key_pairs.remove(id);
            }
            "AWS::EC2::LaunchTemplate" => {
                self.network(account, region).stock.templates.remove(id);
            }
            "AWS::EC2::RouteTable" => {
                self.network(account, region).public_tables.remove(id);
            }
            "AWS::EC2::SecurityGroup" => {
                self.network(account, region).attached.groups.remove(id);
            }
            "AWS::EC2::NatGateway" => {
                let id = id.replacen("nat-", "eni-", 1);
                self.network(account, region)
                    .attached
                    .interfaces
                    .remove(&id);
            }
            "AWS::IAM::Role" => {
                self.iam(account).roles.remove(id);
            }
            "AWS::EKS::Cluster" => {
                self.sync_balancers(account, region);
                self.detach_cluster((account, region), id);
                self.accounts.remove_cluster(account, region, id);
            }
            kind => {
                let Some(cluster) =
                    self.accounts
                        .cluster(account, region, &property("ClusterName"))
                else {
                    return;
                };
                let attribute = |name: &str| made.attributes.get(name).cloned().unwrap_or_default();
                match kind {
                    "AWS::EKS::Nodegroup" => {
                        cluster
                            .details()
                            .nodegroups
                            .remove(&attribute("NodegroupName"));
                    }
                    "AWS::EKS::Addon" => {
                        cluster.details().addons.remove(&property("AddonName"));
                    }
                    "AWS::EKS::Capability" => {
                        let capabilities = &mut cluster.details().capabilities;
                        capabilities.remove(&property("CapabilityName"));
                    }
                    "AWS::EKS::AccessEntry" => {
                        let principal = property("PrincipalArn");
                        cluster.remove_entry(&principal);
                    }
                    _ => {}
                }
            }
        }
    }

    fn make_role(
        &mut self,
        stack: &Stack,
        logical: &str,
        name: &str,
        properties: &Value,
    ) -> Answer {
        let path = text(properties, "Path").unwrap_or_else(|| "/".to_owned());
        let arn = iam_arn(
            stack,
            "role",
            &format!("{}{name}", path.trim_start_matches('/')),
        );
        let trust = properties.get("AssumeRolePolicyDocument").cloned();
        let trust = trust.ok_or_else(|| missing("AssumeRolePolicyDocument"))?;
        if name.len() > 64 {
            let why = format!("Value at 'roleName' is longer than 64 characters: {name}");
            return Err(handler("InvalidRequest", &why));
        }
        let role = Role {
            arn: arn.clone(),
            id: format!("AROASIM{}", random_hex().to_uppercase()),
            path,
            created_at: wall(),
            made_at: Some(stack.at),
            trust,
            boundary: text(properties, "PermissionsBoundary"),
            tags: tags_of(stack, logical, &list_tags(properties)),
        };
        let attributes = [("Arn", arn.clone()), ("RoleId", role.id.clone())];
        let iam = self.iam(&stack.caller.account);
        if iam.roles.contains_key(name) {
            let why = format!("Role with name {name} already exists.");
            return Err(handler("AlreadyExists", &why));
        }
        iam.roles.insert(name.to_owned(), role);
        Ok((name.to_owned(), owned(attributes)))
    }
}

/// The nodes that an autoscaling group starts: how many, and with the labels of its launch template.
fn own_group(stack: &Stack, made: &Made) -> OwnGroup {
    let size = |name: &str| number(&made.properties, name);
    let desired = size("/DesiredCapacity").or_else(|| size("/MinSize"));
    let resources = stack.resources.values();
    let template = resources
        .filter(|one| one.kind == "AWS::EC2::LaunchTemplate")
        .find_map(|one| {
            let data = one.properties.pointer("/LaunchTemplateData/UserData")?;
            STANDARD.decode(data.as_str()?).ok()
        });
    OwnGroup {
        created_at: wall(),
        labels: node_labels(&template.unwrap_or_default()),
        desired: desired
            .and_then(|desired| u32::try_from(desired).ok())
            .unwrap_or(1),
        active_from: stack.at,
    }
}

/// Those that the kubelet is started with: in its arguments, in the environment of a script, or in
/// Bottlerocket's settings.
fn node_labels(user_data: &[u8]) -> Map<String, Value> {
    let user_data = String::from_utf8_lossy(user_data);
    let owned = |(key, value): (&str, &str)| {
        let bare = |text: &str| text.trim().trim_matches('"').to_owned();
        (bare(key), Value::from(bare(value)))
    };
    if let Some((_, rest)) = user_data.split_once("[settings.kubernetes.node-labels]\n") {
        let lines = rest.lines().take_while(|line| !line.is_empty());
        return lines
            .filter_map(|line| line.split_once(" = "))
            .map(owned)
            .collect();
    }
    let in_script = user_data.split_once("\\nNODE_LABELS=");
    let labels = in_script.or_else(|| user_data.split_once("--node-labels="));
    let labels = labels.map(|(_, rest)| {
        let end = rest
            .find(['"', ' ', '\'', '\n', '\r', '\\'])
            .unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    labels
        .into_iter()
        .flat_map(|labels| labels.split(','))
        .filter_map(|label| label.split_once('='))
        .map(owned)
        .collect()
}

/// The cluster whose nodes an autoscaling group starts.
fn cluster_of_group(stack: &Stack, made: &Made) -> String {
    let tags = list_tags(&made.properties);
    let tagged = tags
        .keys()
        .find_map(|key| key.strip_prefix("kubernetes.io/cluster/"));
    tagged
        .or_else(|| stack.cluster())
        .unwrap_or_default()
        .to_owned()
}

/// The instance types of a stack's launch templates.
fn types_of_templates(stack: &Stack) -> Vec<String> {
    let templates = stack.resources.values();
    let templates = templates.filter(|made| made.kind == "AWS::EC2::LaunchTemplate");
    let types = templates.filter_map(|made| {
        let data = made.properties.get("LaunchTemplateData")?;
        text(data, "InstanceType")
    });
    types.collect()
}

/// A physical id with these attributes.
pub(super) fn plain(physical: &str, attributes: &[(&str, &str)]) -> Facts {
    let pairs = attributes.iter();
    let attributes = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    (physical.to_owned(), attributes.collect())
}
