//! Elastic Load Balancing: the load balancers that a cluster has made, in the service's two versions.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::caller::{Caller, Service};
use super::query::{Query, QueryService, child, items, items_of, page};
use super::refusal::{Class, Refusal};

/// How many load balancers can be asked about at once.
const AT_ONCE: usize = 20;

/// The load balancers of a region, seen through one session by one step of a job.
pub struct Elb {
    caller: Caller,
}

/// A load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// Its ARN; of a classic one its name.
    pub id: String,
    /// `classic`, `network`, `application`, `gateway`.
    pub kind: String,
    /// The network it is in.
    pub vpc_id: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Elb {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The load balancers in a VPC, with their tags.
    pub async fn balancers_in(&self, vpc_id: &str) -> Result<Vec<LoadBalancer>, Refusal> {
        let mut found = self.list(QueryService::Elb, vpc_id).await?;
        found.extend(self.list(QueryService::ElbV2, vpc_id).await?);
        Ok(found)
    }

    /// Those of one version.
    async fn list(
        &self,
        service: QueryService,
        vpc_id: &str,
    ) -> Result<Vec<LoadBalancer>, Refusal> {
        const ACTION: &str = "DescribeLoadBalancers";
        /// More than any region has; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 100;
        let (list, read): (_, fn(Node<'_, '_>) -> LoadBalancer) = match service {
            QueryService::Elb => ("LoadBalancerDescriptions", classic),
            _ => ("LoadBalancers", newer),
        };
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let from = marker.map(|marker| ("Marker".to_owned(), marker));
            let query = Query::new(service, ACTION, from);
            let text = self.caller.query_read(Service::Elb, ACTION, query).await?;
            let (some, next) = page(ACTION, &text, (list, "member"), "NextMarker", read)?;
            found.extend(some.into_iter().filter(|one| one.vpc_id == vpc_id));
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        for some in found.chunks_mut(AT_ONCE) {
            self.add_tags(service, some).await?;
        }
        Ok(found)
    }

    async fn add_tags(
        &self,
        service: QueryService,
        balancers: &mut [LoadBalancer],
    ) -> Result<(), Refusal> {
        const ACTION: &str = "DescribeTags";
        let (list, id) = match service {
            QueryService::Elb => ("LoadBalancerNames", "LoadBalancerName"),
            _ => ("ResourceArns", "ResourceArn"),
        };
        let named = balancers.iter().zip(1..);
        let named = named.map(|(one, at)| (format!("{list}.member.{at}"), one.id.clone()));
        let query = Query::new(service, ACTION, named);
        let text = match self.caller.query_read(Service::Elb, ACTION, query).await {
            Ok(text) => text,
            // One of them has gone meanwhile: the next look tells.
            Err(refusal) if refusal.class == Class::NotFound => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        let tagged = items(ACTION, &text, ("TagDescriptions", "member"), |node| {
            (child(node, id).unwrap_or_default(), tags(node))
        })?;
        for (id, tags) in tagged {
            if let Some(one) = balancers.iter_mut().find(|one| one.id == id) {
                one.tags = tags;
            }
        }
        Ok(())
    }
}

fn classic(node: Node<'_, '_>) -> LoadBalancer {
    let name = child(node, "LoadBalancerName").unwrap_or_default();
    LoadBalancer {
        id: name.clone(),
        name,
        kind: "classic".to_owned(),
        vpc_id: child(node, "VPCId").unwrap_or_default(),
        tags: BTreeMap::new(),
    }
}

fn newer(node: Node<'_, '_>) -> LoadBalancer {
    let text = |name| child(node, name).unwrap_or_default();
    LoadBalancer {
        name: text("LoadBalancerName"),
        id: text("LoadBalancerArn"),
        kind: text("Type"),
        vpc_id: text("VpcId"),
        tags: BTreeMap::new(),
    }
}

fn tags(node: Node<'_, '_>) -> BTreeMap<String, String> {
    let pair = |tag| Some((child(tag, "Key")?, child(tag, "Value").unwrap_or_default()));
    items_of(node, "Tags").filter_map(pair).collect()
}
