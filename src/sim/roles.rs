//! The roles of an account: those that are there from the start, those that stacks and tests make, and
//! whom each trusts.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::arn::Arn;
use super::sts::FLEET_ROLE;
use super::text::glob;
use super::world::World;

/// The service that must be trusted by the roles of Fargate's pods.
pub(super) const FARGATE: &str = "eks-fargate-pods.amazonaws.com";

/// The roles that are in every account, and which service each trusts.
const BUILT_IN: [(&str, Option<&str>); 6] = [
    (FLEET_ROLE, None),
    ("fargate-pod-execution", Some(FARGATE)),
    ("nodes", Some("ec2.amazonaws.com")),
    ("platform-admins", None),
    ("team/platform-admins", None),
    ("developers", None),
];

#[derive(Debug, Clone)]
pub(super) struct Role {
    pub arn: String,
    pub id: String,
    pub path: String,
    pub created_at: DateTime<Utc>,
    /// By the simulated clock: until IAM has spread it, no other service knows it. None for one that
    /// has always been there.
    pub made_at: Option<Duration>,
    pub trust: Value,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// What a service finds when it looks for a role.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// There is no such role.
    Missing,
    /// IAM has not spread it yet.
    Spreading,
    No,
    Yes,
}

impl Role {
    /// One that is there from the start.
    fn built_in(arn: &str, trust: Value) -> Self {
        let parsed = Arn::parse(arn);
        let account = parsed.map_or("", |arn| arn.account);
        let name = parsed.and_then(|arn| arn.role()).unwrap_or_default();
        let path = name.rsplit_once('/').map_or("", |(path, _)| path);
        Self {
            arn: arn.to_owned(),
            id: format!("AROASIM{account}"),
            path: format!("/{path}/").replace("//", "/"),
            created_at: DateTime::UNIX_EPOCH,
            made_at: None,
            trust,
            boundary: None,
            tags: BTreeMap::new(),
        }
    }

    /// Whether a service may assume it, for the resource with this ARN.
    pub(super) fn trusts(&self, service: &str, source: &str) -> bool {
        statements(&self.trust).iter().any(|statement| {
            let services = texts(statement.pointer("/Principal/Service"));
            let sources = ["ArnLike", "ArnEquals", "StringLike"]
                .into_iter()
                .flat_map(|operator| {
                    texts(statement.pointer(&format!("/Condition/{operator}/aws:SourceArn")))
                });
            let sources: Vec<&str> = sources.collect();
            // In China some services have a name of their own as well.
            let named = |one: &&str| one.strip_suffix(".cn").unwrap_or(one) == service;
            statement.get("Effect").and_then(Value::as_str) == Some("Allow")
                && services.iter().any(named)
                && (sources.is_empty() || sources.iter().any(|pattern| glob(pattern, source)))
        })
    }
}

/// A trust policy that lets these services in.
pub(super) fn trust_of(services: &[&str]) -> Value {
    let statement = json!({
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": services},
    });
    let statements: Vec<Value> = (!services.is_empty())
        .then_some(statement)
        .into_iter()
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn statements(policy: &Value) -> &[Value] {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl World {
    /// The role with this ARN, whether IAM has spread it or not.
    pub(super) fn role(&self, arn: &str) -> Option<Role> {
        let parsed = Arn::parse(arn)?;
        let name = parsed.role()?;
        let iam = self.iam.get(parsed.account);
        let made = iam.and_then(|iam| iam.roles.values().find(|role| role.arn == arn));
        if let Some(role) = made {
            return Some(role.clone());
        }
        let account = self.accounts.get(parsed.account)?;
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        if let Some((_, service)) = built_in {
            let services: Vec<&str> = service.iter().copied().collect();
            return Some(Role::built_in(arn, trust_of(&services)));
        }
        let of_people = account.settings.roles.iter().any(|known| known == name);
        of_people.then(|| Role::built_in(arn, trust_of(&[])))
    }

    /// What a service finds that is to use a role for a resource.
    pub(super) fn trust(&self, role_arn: &str, service: &str, source: &str) -> Trust {
        let Some(role) = self.role(role_arn) else {
            return Trust::Missing;
        };
        let wait = self.clock.scale(self.options.iam_propagation);
        let now = self.clock.now();
        if role.made_at.is_some_and(|made| now < made + wait) {
            return Trust::Spreading;
        }
        if role.trusts(service, source) {
            Trust::Yes
        } else {
            Trust::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::options::SimOptions;

    const PROFILE: &str = "arn:aws:eks:eu-central-1:111111111111:fargateprofile/new/fp/1";
    const ARN: &str = "arn:aws:iam::111111111111:role/r";

    fn role(service: &str, source: &str) -> Role {
        let trust = json!({"Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": [service]},
            "Condition": {"ArnLike": {"aws:SourceArn": source}},
        }]});
        Role::built_in(ARN, trust)
    }

    #[test]
    fn a_role_trusts_fargate_for_the_profiles_it_names() {
        let mine = "arn:aws:eks:eu-central-1:111111111111:fargateprofile/new/*";
        let trusts = |role: Role| role.trusts(FARGATE, PROFILE);
        assert!(trusts(role(FARGATE, mine)));
        assert!(!trusts(role(FARGATE, &mine.replace("new", "old"))));
        assert!(!trusts(role("ec2.amazonaws.com", mine)));
        let plain = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": FARGATE}}});
        assert!(trusts(Role::built_in(ARN, plain)));
        assert!(role("ec2.amazonaws.com.cn", "*").trusts("ec2.amazonaws.com", PROFILE));
    }

    #[test]
    fn a_role_is_known_once_it_has_spread() {
        let mut world = World::new(SimOptions::default());
        world.clock.freeze();
        let trust = |world: &World| world.trust(ARN, FARGATE, PROFILE);
        assert_eq!(trust(&world), Trust::Missing);
        let made = Role {
            made_at: Some(world.clock.now()),
            ..role(FARGATE, "*")
        };
        world.iam("111111111111").roles.insert("r".into(), made);
        world.clock.advance(Duration::from_secs(9));
        assert_eq!(trust(&world), Trust::Spreading);
        world.clock.advance(Duration::from_secs(2));
        assert_eq!(trust(&world), Trust::Yes);
        assert_eq!(world.trust(ARN, "ec2.amazonaws.com", PROFILE), Trust::No);
    }

    #[test]
    fn some_roles_are_always_there() {
        let world = World::new(SimOptions::default());
        let trust = |name: &str| {
            let arn = format!("arn:aws:iam::111111111111:role/{name}");
            world.trust(&arn, FARGATE, PROFILE)
        };
        assert_eq!(trust("fargate-pod-execution"), Trust::Yes);
        assert_eq!(trust("platform-admins"), Trust::No);
        assert_eq!(trust("platfrom-admins"), Trust::Missing);
    }
}
