//! EKS's operations on what else belongs to a cluster: nodegroups; and the end of the cluster
//! itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::eks::{cluster_arn, page};
use super::error::AwsError;
use super::page::PageRequest;
use super::world::{Arrival, World};

/// How long the deletions take at AWS.
const NODEGROUP_DELETION: Duration = Duration::from_mins(2);
const CLUSTER_DELETION: Duration = Duration::from_secs(150);

impl World {
    /// `DeleteCluster`.
    pub(super) fn delete_cluster(
        &mut self,
        arrival: &Arrival,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        authorize(caller, "eks:DeleteCluster", &cluster_arn(caller, name))?;
        let until = self.clock.now() + self.clock.scale(CLUSTER_DELETION);
        self.sync_balancers(&caller.account, &caller.region);
        let cluster = self.settled(caller, name)?;
        if let Some(why) = cluster.protects_itself() {
            return Err(AwsError::new(400, "InvalidRequestException", why));
        }
        let refusal = match cluster.status.as_str() {
            "DELETING" => Some(format!(
                "Cluster has already been requested to be deleted: {name}"
            )),
            "CREATING" => Some(format!(
                "Cannot delete cluster {name} while it is being created"
            )),
            _ => cluster.keeps_it(),
        };
        if let Some(why) = refusal {
            let blocker = cluster.blocker(None);
            if let Some(blocker) = blocker.and_then(|one| one.as_overlap()) {
                self.recorder
                    .overlap(arrival.seq, "", blocker.record_name());
            }
            return Err(AwsError::in_use(why));
        }
        "DELETING".clone_into(&mut cluster.status);
        let view = cluster.view();
        self.accounts
            .leave_at(&caller.account, &caller.region, name, until);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "cluster": view }))
    }

    /// `ListNodegroups`.
    pub(super) fn list_nodegroups(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(caller, "eks:ListNodegroups", &cluster_arn(caller, cluster))?;
        let request = PageRequest::parse(query)?;
        let cluster = self.settled(caller, cluster)?;
        let scope = format!("{}/nodegroups", cluster.arn);
        let names = cluster.details().nodegroups.keys().map(String::as_str);
        let (names, next) = request.cut(&scope, names)?;
        Ok(page("nodegroups", &names, next))
    }

    /// `DescribeNodegroup`.
    pub(super) fn describe_nodegroup(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.nodegroup_arn(caller, cluster, name);
        authorize(caller, "eks:DescribeNodegroup", &resource)?;
        let details = self.settled(caller, cluster)?.details();
        let nodegroup = details.nodegroups.get(name);
        let nodegroup = nodegroup.ok_or_else(|| no_nodegroup(name))?;
        let mut view = nodegroup.view(cluster, name);
        if nodegroup.lacks_nodes(details.max_joining) {
            view["health"]["issues"] = json!([{
                "code": "NodeCreationFailure",
                "message": "Instances failed to join the kubernetes cluster",
                "resourceIds": ["i-0123456789abcdef0"],
            }]);
        }
        if let Some(status) = &arrival.fault.set_status {
            view["status"] = Value::from(status.as_str());
        }
        Ok(json!({ "nodegroup": view }))
    }

    /// `DeleteNodegroup`.
    pub(super) fn delete_nodegroup(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.nodegroup_arn(caller, cluster, name);
        authorize(caller, "eks:DeleteNodegroup", &resource)?;
        let until = self.clock.now() + self.clock.scale(NODEGROUP_DELETION);
        let nodegroups = &mut self.settled(caller, cluster)?.details().nodegroups;
        let nodegroup = nodegroups.get_mut(name).ok_or_else(|| no_nodegroup(name))?;
        if nodegroup.status == "CREATING" {
            return Err(AwsError::in_use(format!(
                "Cannot delete nodegroup {name} while it is being created"
            )));
        }
        let begun = nodegroup.until.is_none();
        nodegroup.until.get_or_insert(until);
        nodegroup.status = "DELETING";
        let view = nodegroup.view(cluster, name);
        if begun {
            self.recorder.changed(arrival.seq);
        }
        Ok(json!({ "nodegroup": view }))
    }

    /// The ARN by which policies know a nodegroup, also one that doesn't exist.
    fn nodegroup_arn(&mut self, caller: &Caller, cluster: &str, name: &str) -> String {
        let known = self.settled(caller, cluster).ok().and_then(|cluster| {
            let nodegroup = cluster.details().nodegroups.get(name)?;
            Some(nodegroup.arn.clone())
        });
        known.unwrap_or_else(|| {
            let base = cluster_arn(caller, cluster).replacen(":cluster/", ":nodegroup/", 1);
            format!("{base}/{name}/00000000-0000-0000-0000-000000000000")
        })
    }
}

fn no_nodegroup(name: &str) -> AwsError {
    let why = format!("No node group found for name: {name}.");
    AwsError::new(404, "ResourceNotFoundException", why)
}
