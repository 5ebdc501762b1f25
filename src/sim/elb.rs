//! Elastic Load Balancing, in its two versions: what is there, and its tags.

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::error::AwsError;
use super::interfaces::LoadBalancer;
use super::query::{Form, Service, no_operation};
use super::world::{Arrival, World};
use super::xml::Xml;

const ENTRY: &str = "member";

impl World {
    /// Serves one call; the answer is what the result's element holds.
    pub(super) fn elb_call(
        &mut self,
        service: Service,
        form: &Form,
        arrival: &Arrival,
    ) -> Result<String, AwsError> {
        let caller = &arrival.caller;
        let action = form.action();
        if !matches!(action, "DescribeLoadBalancers" | "DescribeTags") {
            return Err(no_operation(form));
        }
        authorize(
            caller,
            &format!("elasticloadbalancing:{action}"),
            &arn(caller, "*", "*"),
        )?;
        self.sync_balancers(&caller.account, &caller.region);
        let classic = service == Service::Elb;
        let network = self.network(&caller.account, &caller.region);
        let there = network.attached.balancers.iter();
        let there: Vec<(&String, &LoadBalancer)> = there
            .filter(|(_, one)| (one.kind == "classic") == classic)
            .collect();
        match (action, classic) {
            ("DescribeLoadBalancers", true) => Ok(classic_ones(&there)),
            ("DescribeLoadBalancers", false) => Ok(new_ones(caller, &there)),
            (_, true) => {
                let names = form.texts("LoadBalancerNames.member");
                tags_of(
                    &there,
                    &names,
                    |name, _| name.to_owned(),
                    "LoadBalancerName",
                )
            }
            (_, false) => {
                let arns = form.texts("ResourceArns.member");
                let name = |name: &str, one: &LoadBalancer| arn(caller, one.kind, name);
                tags_of(&there, &arns, name, "ResourceArn")
            }
        }
    }
}

fn classic_ones(there: &[(&String, &LoadBalancer)]) -> String {
    let mut xml = Xml::default();
    xml.list(
        "LoadBalancerDescriptions",
        ENTRY,
        there,
        |x, (name, one)| {
            x.text("LoadBalancerName", name)
                .text("VPCId", &one.vpc)
                .text("Scheme", "internet-facing")
                .texts("SecurityGroups", ENTRY, &one.groups);
        },
    );
    xml.finish()
}

fn new_ones(caller: &Caller, there: &[(&String, &LoadBalancer)]) -> String {
    let mut xml = Xml::default();
    xml.list("LoadBalancers", ENTRY, there, |x, (name, one)| {
        x.text("LoadBalancerArn", arn(caller, one.kind, name))
            .text("LoadBalancerName", name)
            .text("VpcId", &one.vpc)
            .text("Type", one.kind)
            .text("Scheme", "internet-facing")
            .texts("SecurityGroups", ENTRY, &one.groups);
    });
    xml.finish()
}

fn tags_of(
    there: &[(&String, &LoadBalancer)],
    asked: &[&str],
    id: impl Fn(&str, &LoadBalancer) -> String,
    member: &str,
) -> Result<String, AwsError> {
    const MOST: usize = 20;
    if asked.is_empty() || asked.len() > MOST {
        let why = format!("1 to {MOST} load balancers can be named");
        return Err(AwsError::new(400, "ValidationError", why));
    }
    let mut found = Vec::new();
    for wanted in asked {
        let one = there.iter().find(|(name, one)| id(name, one) == *wanted);
        let (_, one) = one.ok_or_else(|| {
            let why = format!("There is no ACTIVE Load Balancer named '{wanted}'");
            AwsError::new(400, "LoadBalancerNotFound", why)
        })?;
        found.push((wanted, &one.tags));
    }
    let mut xml = Xml::default();
    xml.list("TagDescriptions", ENTRY, found, |x, (wanted, tags)| {
        x.text(member, wanted)
            .list("Tags", ENTRY, tags, |x, (key, value)| {
                x.text("Key", key).text("Value", value);
            });
    });
    Ok(xml.finish())
}

/// In the ARN of a load balancer of version 2 stands `app` or `net`.
fn arn(caller: &Caller, kind: &str, name: &str) -> String {
    let (region, account) = (&caller.region, &caller.account);
    let kind = match kind {
        "application" => "app/",
        "network" => "net/",
        _ => "",
    };
    format!(
        "arn:{}:elasticloadbalancing:{region}:{account}:loadbalancer/{kind}{name}",
        partition(region)
    )
}
