//! EC2: what is in a cluster's network besides the cluster, and keeps it from being deleted.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::caller::Service;
use super::ec2::{Ec2, Subnet};
use super::query::{Query, QueryService, child, items_of, page, within};
use super::refusal::{Class, Refusal};

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkInterface {
    /// `eni-...`.
    pub id: String,
    /// Whoever made it says here what for.
    pub description: String,
    /// `available` when it is attached to nothing, or `in-use`.
    pub status: String,
    /// `interface`, `nat_gateway`, `vpc_endpoint`, ...
    pub interface_type: String,
    /// The service of AWS, or the account, that made it on somebody's behalf.
    pub requester_id: Option<String>,
    /// The instance that it is attached to.
    pub instance_id: Option<String>,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-...`.
    pub id: String,
    /// Its name, which a VPC has once.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Ec2 {
    /// The network interfaces in a VPC, over all pages.
    pub async fn interfaces_in(&self, vpc_id: &str) -> Result<Vec<NetworkInterface>, Refusal> {
        let action = "DescribeNetworkInterfaces";
        self.all(action, vpc_id, "networkInterfaceSet", interface)
            .await
    }

    /// The security groups of a VPC, over all pages.
    pub async fn groups_in(&self, vpc_id: &str) -> Result<Vec<SecurityGroup>, Refusal> {
        let action = "DescribeSecurityGroups";
        self.all(action, vpc_id, "securityGroupInfo", group).await
    }

    /// The subnets of a VPC, over all pages.
    pub async fn subnets_in(&self, vpc_id: &str) -> Result<Vec<Subnet>, Refusal> {
        let action = "DescribeSubnets";
        self.all(action, vpc_id, "subnetSet", super::ec2::subnet)
            .await
    }

    /// Deletes an interface that is attached to nothing. One that is gone is no refusal.
    pub async fn delete_interface(&self, id: &str) -> Result<(), Refusal> {
        self.delete("DeleteNetworkInterface", ("NetworkInterfaceId", id))
            .await
    }

    /// Deletes a security group that nobody uses. One that is gone is no refusal.
    pub async fn delete_group(&self, id: &str) -> Result<(), Refusal> {
        self.delete("DeleteSecurityGroup", ("GroupId", id)).await
    }

    async fn delete(&self, action: &'static str, (name, id): (&str, &str)) -> Result<(), Refusal> {
        let parameters = [(name.to_owned(), id.to_owned())];
        let query = Query::new(QueryService::Ec2, action, parameters);
        match self.caller.query_mutate(Service::Ec2, action, query).await {
            Err(refusal) if refusal.class != Class::NotFound => Err(refusal),
            _ => Ok(()),
        }
    }

    async fn all<T>(
        &self,
        action: &'static str,
        vpc_id: &str,
        list: &str,
        read: impl Fn(Node<'_, '_>) -> T,
    ) -> Result<Vec<T>, Refusal> {
        /// More than any VPC has; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 100;
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut parameters = vec![
                ("Filter.1.Name".to_owned(), "vpc-id".to_owned()),
                ("Filter.1.Value.1".to_owned(), vpc_id.to_owned()),
            ];
            parameters.extend(token.map(|token| ("NextToken".to_owned(), token)));
            let query = Query::new(QueryService::Ec2, action, parameters);
            let text = self.caller.query_read(Service::Ec2, action, query).await?;
            let (some, next) = page(action, &text, (list, "item"), "nextToken", &read)?;
            found.extend(some);
            token = next;
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

fn interface(node: Node<'_, '_>) -> NetworkInterface {
    let text = |name| child(node, name).unwrap_or_default();
    NetworkInterface {
        id: text("networkInterfaceId"),
        description: text("description"),
        status: text("status"),
        interface_type: text("interfaceType"),
        requester_id: child(node, "requesterId"),
        instance_id: within(node, "attachment", "instanceId"),
        security_groups: items_of(node, "groupSet")
            .filter_map(|one| child(one, "groupId"))
            .collect(),
        tags: tags(node),
    }
}

fn group(node: Node<'_, '_>) -> SecurityGroup {
    SecurityGroup {
        id: child(node, "groupId").unwrap_or_default(),
        name: child(node, "groupName").unwrap_or_default(),
        tags: tags(node),
    }
}

fn tags(node: Node<'_, '_>) -> BTreeMap<String, String> {
    let pair = |tag| Some((child(tag, "key")?, child(tag, "value").unwrap_or_default()));
    items_of(node, "tagSet").filter_map(pair).collect()
}
