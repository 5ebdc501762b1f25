//! What EMR on EKS may do in a namespace, as AWS's guide of EMR on EKS lists it.

use serde_json::{Value, json};

use super::Kubernetes;
use super::api::Place;
use super::error::KubernetesError;
use super::namespaces::there_is_fine;

const GROUP: &str = "apis/rbac.authorization.k8s.io/v1";
const ROLES: Place<'static> = Place::all(GROUP, "roles");
const BINDINGS: Place<'static> = Place::all(GROUP, "rolebindings");
/// The name of both, and of the user that EMR is.
const NAME: &str = "emr-containers";

impl Kubernetes {
    /// Makes the namespace, and lets EMR work there.
    pub async fn let_emr_in(&self, namespace: &str) -> Result<(), KubernetesError> {
        self.ensure_namespace(namespace).await?;
        let within = Some(namespace);
        let of_rbac = |kind: &str| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": NAME, "namespace": namespace},
            })
        };
        let mut role = of_rbac("Role");
        role["rules"] = rules();
        let mut binding = of_rbac("RoleBinding");
        binding["roleRef"] =
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME});
        binding["subjects"] =
            json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": NAME}]);
        self.ensure("making a Role", ROLES.within(within), &role)
            .await?;
        let action = "making a RoleBinding";
        self.ensure(action, BINDINGS.within(within), &binding).await
    }

    /// Makes an object, unless it is there.
    async fn ensure(
        &self,
        action: &'static str,
        place: Place<'_>,
        object: &Value,
    ) -> Result<(), KubernetesError> {
        if self.object(action, place, NAME).await?.is_some() {
            return Ok(());
        }
        there_is_fine(self.create(action, place, object).await)
    }
}

fn rules() -> Value {
    let all = [
        "get", "list", "watch", "describe", "create", "edit", "delete", "annotate", "patch",
        "label",
    ];
    let and_collections = [all.as_slice(), &["deletecollection"]].concat();
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
    let core = [
        "serviceaccounts",
        "services",
        "configmaps",
        "events",
        "pods",
        "pods/log",
    ];
    json!([
        rule(&[""], &["namespaces"], &["get"]),
        rule(&[""], &core, &and_collections),
        rule(&[""], &["secrets"], &["create", "patch", "delete", "watch"]),
        rule(&["apps"], &["statefulsets", "deployments"], &all),
        rule(&["batch"], &["jobs"], &all),
        rule(&["extensions", "networking.k8s.io"], &["ingresses"], &all),
        rule(
            &["rbac.authorization.k8s.io"],
            &["roles", "rolebindings"],
            &and_collections
        ),
        rule(
            &[""],
            &["persistentvolumeclaims"],
            &["create", "list", "delete", "deletecollection"]
        ),
        rule(
            &["scheduling.volcano.sh"],
            &["podgroups"],
            &["get", "list", "watch", "create", "delete", "update"]
        ),
    ])
}
