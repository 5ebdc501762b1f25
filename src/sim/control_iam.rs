//! The controls of an account's roles, under `/_sim/accounts/{id}/roles/{name}`: `PUT` and `DELETE`.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::Value;

use super::arn::partition;
use super::clock::{fresh_id, wall};
use super::control::SimControl;
use super::control_http::{Answer, done, missing, parse};
use super::roles::{FARGATE, Role, trust_of};
use super::world::{Shared, World};

const ROLE: &str = "/accounts/{account}/roles/{name}";

/// A role to put in place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RoleSpec {
    /// The services that may assume it; EKS Fargate when there are none and no `trustPolicy`.
    pub services: Vec<String>,
    /// Its whole trust policy.
    pub trust_policy: Option<Value>,
    /// Its path; `/` when empty.
    pub path: String,
    /// Whether it was made just now, so that IAM has not spread it yet.
    pub fresh: bool,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route(ROLE, web::put().to(put_role))
        .route(ROLE, web::delete().to(delete_role));
}

impl SimControl {
    /// Puts a role in place, past all rules of IAM.
    pub fn put_role(&self, account_id: &str, name: &str, spec: RoleSpec) {
        self.shared.lock().put_role(account_id, name, spec);
    }

    /// Puts a role in place that EKS Fargate may assume.
    pub fn add_pod_role(&self, account_id: &str, name: &str) {
        self.put_role(account_id, name, RoleSpec::default());
    }

    /// Puts roles in place that are nobody's but people's, with their paths.
    pub fn add_roles(&self, account_id: &str, names: &[&str]) {
        for name in names {
            let (path, name) = name.rsplit_once('/').unwrap_or(("", name));
            let spec = RoleSpec {
                trust_policy: Some(trust_of(&[])),
                path: format!("/{path}/").replace("//", "/"),
                ..RoleSpec::default()
            };
            self.put_role(account_id, name, spec);
        }
    }
}

impl World {
    fn put_role(&mut self, account: &str, name: &str, spec: RoleSpec) {
        // Accounts are in one partition: that of their regions.
        let region = self.accounts.any_region(account);
        let partition = partition(&region);
        let path = Some(spec.path).filter(|path| !path.is_empty());
        let path = path.unwrap_or_else(|| "/".to_owned());
        let services: Vec<&str> = spec.services.iter().map(String::as_str).collect();
        let trust = spec.trust_policy.unwrap_or_else(|| {
            trust_of(if services.is_empty() {
                &[FARGATE]
            } else {
                &services
            })
        });
        let id = fresh_id().simple().to_string().to_uppercase();
        let role = Role {
            arn: format!("arn:{partition}:iam::{account}:role{path}{name}"),
            id: format!("AROA{}", &id[..17]),
            path,
            created_at: wall(),
            made_at: spec.fresh.then(|| self.clock.now()),
            trust,
            boundary: None,
            tags: BTreeMap::new(),
        };
        self.iam(account).roles.insert(name.to_owned(), role);
    }
}

async fn put_role(shared: Data<Shared>, place: Path<(String, String)>, body: Bytes) -> Answer {
    let spec: RoleSpec = parse(&body)?;
    let (account, name) = place.into_inner();
    shared.lock().put_role(&account, &name, spec);
    Ok(done())
}

async fn delete_role(shared: Data<Shared>, place: Path<(String, String)>) -> Answer {
    let (account, name) = place.into_inner();
    let removed = shared.lock().iam(&account).roles.remove(&name);
    if removed.is_some() {
        return Ok::<HttpResponse, _>(done());
    }
    Err(missing(&format!(
        "There is no role {name} in {account} that was put there or made by a stack"
    )))
}
