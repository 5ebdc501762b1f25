//! Jobs about clusters, and what the simulated AWS has on record of them.

use fargate_fleet::domain::ClusterConfig;
use fargate_fleet::domain::cluster::{ClusterDeletionPlan, ClusterSpec};
use fargate_fleet::domain::eksctl::Part;
use fargate_fleet::domain::job_input::{CreateClusterInput, DeleteClusterInput, ReadInput};
use fargate_fleet::queue::cancel::cancel;
use fargate_fleet::sim::Fault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ops::access_entries::admins;
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

/// A cluster that no fleet has at its start.
pub const NEW: &str = "new-1";

/// `eksctl create cluster --fargate`.
pub fn fargate(name: &str) -> ClusterSpec {
    let config = json!({"metadata": {"name": name, "region": REGION}});
    spec(&config, true)
}

/// eksctl's guide: a nodegroup and two Fargate profiles.
pub fn guide() -> ClusterSpec {
    let text = include_str!("../../../data/fargate-cluster.yaml");
    let text = text.replace("ap-northeast-1", REGION);
    let config = ClusterConfig::from_yaml(&text, Part::Whole).unwrap();
    ClusterSpec::of(config, false).unwrap()
}

/// A cluster of everything: OIDC, profiles, nodegroups of both kinds.
pub fn full(name: &str) -> ClusterSpec {
    let config = json!({
        "metadata": {"name": name, "region": REGION, "tags": {"team": "blue"}},
        "accessConfig": {"accessEntries": [admins()]},
        "iam": {"withOIDC": true},
        "fargateProfiles": [
            {"name": "fp-a", "selectors": [{"namespace": "kube-system"}]},
            {"name": "fp-b", "selectors": [{"namespace": "b"}]},
        ],
        "nodeGroups": [{"name": "ng-1", "instanceType": "m5.large"}],
        "managedNodeGroups": [{"name": "ng-2", "instanceType": "m5.large"}],
    });
    spec(&config, false)
}

pub fn spec(config: &Value, fargate: bool) -> ClusterSpec {
    let config = ClusterConfig::from_json(&config.to_string(), Part::Whole).unwrap();
    ClusterSpec::of(config, fargate).unwrap()
}

/// Lets CloudFormation fail at a resource, once.
pub fn broken(resource: &str, why: &str) -> Fault {
    Fault {
        resource: Some(resource.to_owned()),
        message: Some(why.to_owned()),
        ..fault("CreateResource")
    }
}

impl Fleet {
    pub async fn create_cluster(&self, spec: &ClusterSpec) -> Uuid {
        let input = json!(CreateClusterInput { spec: spec.clone() });
        let what = (None, input);
        self.submit_to(ACCOUNT, spec.name.as_str(), "create_cluster", what)
            .await
    }

    pub async fn delete_cluster(&self, name: &str, unowned: bool) -> Uuid {
        let input = DeleteClusterInput {
            unowned,
            ..DeleteClusterInput::default()
        };
        self.delete_cluster_as(name, input).await
    }

    pub async fn delete_cluster_as(&self, name: &str, input: DeleteClusterInput) -> Uuid {
        self.submit_to(ACCOUNT, name, "delete_cluster", (None, json!(input)))
            .await
    }

    /// The plan of a deletion, as AWS is now.
    pub async fn deletion_plan(
        &self,
        name: &str,
        input: DeleteClusterInput,
    ) -> ClusterDeletionPlan {
        let kind = "plan_cluster_deletion";
        let job = self
            .submit_to(ACCOUNT, name, kind, (None, json!(input)))
            .await;
        self.run().await;
        self.assert_state(job, "succeeded").await;
        let plan = self.queue.column(job, "result->'deletionPlan'").await;
        serde_json::from_str(&plan).expect("a plan in the result")
    }

    pub async fn get_cluster(&self, name: &str) -> Uuid {
        let input = json!(ReadInput {});
        self.submit_to(ACCOUNT, name, "get_cluster", (None, input))
            .await
    }

    pub async fn list_clusters(&self) -> Uuid {
        let input = json!(ReadInput {});
        self.submit_to(ACCOUNT, "", "list_clusters", (None, input))
            .await
    }

    pub async fn cancel(&self, job: Uuid) {
        let mut transaction = self.queue.pool().begin().await.unwrap();
        cancel(&mut transaction, ACCOUNT, job).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Creates a cluster to its end.
    pub async fn have_cluster(&self, spec: &ClusterSpec) {
        let job = self.create_cluster(spec).await;
        self.run().await;
        self.assert_state(job, "succeeded").await;
    }

    /// A cluster as EKS describes it.
    pub fn described(&self, name: &str) -> Value {
        self.sim.cluster(ACCOUNT, REGION, name).unwrap()
    }

    /// What AWS has begun, in its order: `CreateStack eksctl-new-1-cluster`.
    pub fn begun(&self) -> Vec<String> {
        let calls = self.sim.record().calls;
        let begun = calls.into_iter().filter(|call| call.changed);
        begun
            .map(|call| {
                let about = call.profile.as_deref();
                let about = about.or(call.stack()).or(call.resource());
                format!("{} {}", call.action, about.unwrap_or_default())
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }
}
