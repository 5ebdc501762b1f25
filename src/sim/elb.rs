//! Elastic Load Balancing, in its two versions: what is there, and its tags.

use chrono::SecondsFormat;

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::error::AwsError;
use super::interfaces::LoadBalancer;
use super::network::Network;
use super::page::PageRequest;
use super::query::{Form, Service, no_operation, validation};
use super::world::{Arrival, World};
use super::xml::Xml;

const ENTRY: &str = "member";

/// The zone of the load balancers' names, an id that Route 53 knows.
const HOSTED_ZONE: &str = "Z0SIMULATED0000000";

const NOTHING: [&str; 0] = [];

/// Entries of a page when nothing is said of it.
const LARGEST_PAGE: usize = 400;

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
            ("DescribeLoadBalancers", _) => describe(caller, network, form, there),
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

/// Those that are named, or all; a page of them.
fn describe(
    caller: &Caller,
    network: &Network,
    form: &Form,
    mut there: Vec<(&String, &LoadBalancer)>,
) -> Result<String, AwsError> {
    let asked = [
        form.texts("LoadBalancerNames.member"),
        form.texts("Names.member"),
        form.texts("LoadBalancerArns.member"),
    ]
    .concat();
    let is = |name: &str, one: &LoadBalancer, asked: &str| {
        name == asked || arn(caller, one.kind, name) == asked
    };
    for wanted in &asked {
        if !there.iter().any(|(name, one)| is(name, one, wanted)) {
            return Err(no_balancer(wanted));
        }
    }
    if !asked.is_empty() {
        there.retain(|(name, one)| asked.iter().any(|wanted| is(name, one, wanted)));
    }
    let size = form.get("PageSize").and_then(|text| text.parse().ok());
    let request = PageRequest {
        max_results: Some(size.unwrap_or(LARGEST_PAGE)),
        next_token: form.filled("Marker").map(str::to_owned),
    };
    let (page, next) = request
        .cut(
            "load-balancers",
            there.iter().map(|(name, _)| name.as_str()),
        )
        .map_err(|_| validation("The marker is invalid"))?;
    there.retain(|(name, _)| page.contains(name));
    let mut xml = if form.get("Version") == Some(Service::Elb.version()) {
        classic_ones(caller, network, &there)
    } else {
        new_ones(caller, network, &there)
    };
    xml.maybe("NextMarker", next);
    Ok(xml.finish())
}

fn no_balancer(wanted: &str) -> AwsError {
    let why = format!("There is no ACTIVE Load Balancer named '{wanted}'");
    AwsError::new(400, "LoadBalancerNotFound", why)
}

fn classic_ones(caller: &Caller, network: &Network, there: &[(&String, &LoadBalancer)]) -> Xml {
    let mut xml = Xml::default();
    xml.list(
        "LoadBalancerDescriptions",
        ENTRY,
        there,
        |x, (name, one)| {
            let subnets = network.subnets_of(one);
            x.text("LoadBalancerName", name)
                .text("DNSName", host(caller, name))
                .text("CanonicalHostedZoneNameID", HOSTED_ZONE)
                .text("CreatedTime", date(one))
                .text("VPCId", &one.vpc)
                .text("Scheme", "internet-facing")
                .texts("SecurityGroups", ENTRY, &one.groups)
                .texts("Subnets", ENTRY, subnets.iter().map(|(id, _)| id))
                .texts(
                    "AvailabilityZones",
                    ENTRY,
                    subnets.iter().map(|(_, one)| &one.zone),
                )
                .texts("Instances", ENTRY, NOTHING)
                .texts("BackendServerDescriptions", ENTRY, NOTHING);
            write_listener(x);
            x.within("SourceSecurityGroup", |x| {
                let group = one
                    .groups
                    .first()
                    .and_then(|id| network.attached.groups.get(id));
                x.text("OwnerAlias", &caller.account)
                    .maybe("GroupName", group.map(|group| &group.name));
            });
        },
    );
    xml
}

/// What the cloud provider asks for: one port passed on to the nodes, whose health is looked at.
fn write_listener(xml: &mut Xml) {
    const NODE_PORT: &str = "30080";
    xml.list("ListenerDescriptions", ENTRY, ["80"], |x, port| {
        x.within("Listener", |x| {
            x.text("Protocol", "TCP")
                .text("LoadBalancerPort", port)
                .text("InstanceProtocol", "TCP")
                .text("InstancePort", NODE_PORT);
        })
        .texts("PolicyNames", ENTRY, NOTHING);
    })
    .within("HealthCheck", |x| {
        x.text("Target", format!("TCP:{NODE_PORT}"))
            .text("Interval", "10")
            .text("Timeout", "5")
            .text("UnhealthyThreshold", "6")
            .text("HealthyThreshold", "2");
    })
    .within("Policies", |x| {
        x.texts("AppCookieStickinessPolicies", ENTRY, NOTHING)
            .texts("LBCookieStickinessPolicies", ENTRY, NOTHING)
            .texts("OtherPolicies", ENTRY, NOTHING);
    });
}

fn new_ones(caller: &Caller, network: &Network, there: &[(&String, &LoadBalancer)]) -> Xml {
    let mut xml = Xml::default();
    xml.list("LoadBalancers", ENTRY, there, |x, (name, one)| {
        x.text("LoadBalancerArn", arn(caller, one.kind, name))
            .text("LoadBalancerName", name)
            .text("DNSName", host(caller, name))
            .text("CanonicalHostedZoneId", HOSTED_ZONE)
            .text("CreatedTime", date(one))
            .text("VpcId", &one.vpc)
            .within("State", |x| {
                x.text("Code", "active");
            })
            .text("Type", one.kind)
            .text("Scheme", "internet-facing")
            .text("IpAddressType", "ipv4")
            .texts("SecurityGroups", ENTRY, &one.groups)
            .list(
                "AvailabilityZones",
                ENTRY,
                network.subnets_of(one),
                |x, (id, subnet)| {
                    x.text("ZoneName", &subnet.zone).text("SubnetId", id).texts(
                        "LoadBalancerAddresses",
                        ENTRY,
                        NOTHING,
                    );
                },
            );
    });
    xml
}

fn date(balancer: &LoadBalancer) -> String {
    balancer
        .created_at
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn host(caller: &Caller, name: &str) -> String {
    format!("{name}.{}.elb.amazonaws.com", caller.region)
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
        let (_, one) = one.ok_or_else(|| no_balancer(wanted))?;
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
