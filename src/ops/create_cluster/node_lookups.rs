//! What is looked up for nodegroups before anything is made: instance types for selectors, network
//! cards, images, key pairs, security groups, launch templates. What is not there is refused here.
//!
//! Reads only. What the account's role may not look up is a warning, unless the answer is needed.

use std::collections::BTreeMap;

use super::Creating;
use super::preflight::{answered, needed, refuse, unchecked};
use crate::aws::ec2::Ec2;
use crate::aws::{Class, Refusal};
use crate::domain::Invalid;
use crate::domain::cluster::resolved::ResolvedNodegroup;
use crate::domain::cluster::selector::{self, InstanceFacts};
use crate::domain::cluster::spec::nodegroup::{GivenTemplate, SshKey};
use crate::domain::cluster::spec::{NetworkSpec, NodegroupSpec};
use crate::domain::warnings::Warning;
use crate::queue::Verdict;

/// A look at one nodegroup.
struct Looking<'a, 'b> {
    creating: &'a Creating<'b>,
    nodegroup: &'a NodegroupSpec,
    ec2: Ec2,
    wrong: Vec<Invalid>,
    warnings: Vec<Warning>,
}

/// What was found for each nodegroup that needs something, by name.
pub(super) async fn found(
    creating: &Creating<'_>,
    kubernetes: &str,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, ResolvedNodegroup>, Verdict> {
    let (mut all, mut wrong) = (BTreeMap::new(), Vec::new());
    for nodegroup in &creating.spec.nodegroups {
        let mut looking = Looking {
            creating,
            nodegroup,
            ec2: creating.stage.context.eks.caller().ec2(),
            wrong: Vec::new(),
            warnings: Vec::new(),
        };
        let found = looking.look(kubernetes).await?;
        wrong.extend(looking.wrong);
        warnings.extend(looking.warnings);
        if found != ResolvedNodegroup::default() {
            all.insert(nodegroup.name.clone(), found);
        }
    }
    if wrong.is_empty() {
        Ok(all)
    } else {
        Err(refuse(&wrong))
    }
}

impl Looking<'_, '_> {
    async fn look(&mut self, kubernetes: &str) -> Result<ResolvedNodegroup, Verdict> {
        if let Some(message) = self.nodegroup.missing_image(kubernetes) {
            self.say(&message);
        }
        self.key_pair().await?;
        self.security_groups().await?;
        Ok(ResolvedNodegroup {
            instance_types: self.selected().await?,
            network_cards: self.network_cards().await?,
            root_device: self.root_device().await?,
            template: self.template().await?,
        })
    }

    fn say(&mut self, message: &str) {
        let message = format!("nodegroup {}: {message}", self.nodegroup.name);
        let list = format!("/{}", self.nodegroup.kind.list());
        self.wrong.push(Invalid::new(list, message));
    }

    /// The answer; or none, where there is no such thing or the role may not ask, which is told.
    async fn kept<T>(
        &mut self,
        answer: Result<T, Refusal>,
        (what, action): (&str, &str),
    ) -> Result<Option<T>, Verdict> {
        match answered(self.creating, answer).await? {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if is_missing(&refusal) => {
                let words = refusal.message.trim_end_matches('.').to_owned();
                self.say(&words);
                Ok(None)
            }
            Err(refusal) => {
                self.warnings.push(unchecked(what, action, &refusal));
                Ok(None)
            }
        }
    }

    async fn key_pair(&mut self) -> Result<(), Verdict> {
        let Some(SshKey::Named(name)) = self.nodegroup.login().map(|ssh| &ssh.key) else {
            return Ok(());
        };
        let answer = self.ec2.check_key_pair(name).await;
        let what = format!("whether there is a key pair {name}");
        self.kept(answer, (&what, "ec2:DescribeKeyPairs")).await?;
        Ok(())
    }

    async fn security_groups(&mut self) -> Result<(), Verdict> {
        let nodegroup = self.nodegroup;
        let sources = nodegroup.ssh.iter().flat_map(|ssh| &ssh.sources);
        let named = nodegroup.groups.attach_ids.iter();
        let named: Vec<&str> = named.chain(sources).map(String::as_str).collect();
        if named.is_empty() {
            return Ok(());
        }
        let answer = self.ec2.vpcs_of_groups(&named).await;
        let what = "whether the security groups of nodegroups are there";
        let found = self
            .kept(answer, (what, "ec2:DescribeSecurityGroups"))
            .await?;
        let own = self.creating.spec.network.vpc_id();
        for (id, vpc) in found.unwrap_or_default() {
            let attached = nodegroup.groups.attach_ids.contains(&id);
            if attached && own.is_none_or(|own| own != vpc) && !self.is_unknown_vpc() {
                self.say(&format!(
                    "security group {id} is of {vpc}, and the cluster of another VPC: name groups of the \
                     cluster's own VPC"
                ));
            }
        }
        Ok(())
    }

    /// Subnets that exist, of a VPC that the config does not name.
    fn is_unknown_vpc(&self) -> bool {
        let network = &self.creating.spec.network;
        matches!(network, NetworkSpec::Existing { vpc_id: None, .. })
    }

    /// The types that the selector picks, of those that every zone of the nodegroup offers.
    async fn selected(&mut self) -> Result<Vec<String>, Verdict> {
        let Some(selector) = self
            .nodegroup
            .selector
            .as_ref()
            .filter(|_| self.nodegroup.is_selected())
        else {
            return Ok(Vec::new());
        };
        let advice = "name instance types in place of instanceSelector, or let the role \
                      ec2:DescribeInstanceTypes and ec2:DescribeInstanceTypeOfferings";
        let filters = selector::filters(selector);
        let types = self.ec2.instance_types(&[], &filters).await;
        let types = match answered(self.creating, types).await? {
            Ok(types) => types,
            Err(refusal) => return Err(needed(self.creating, refusal, advice).await),
        };
        let zones = self.zones().await?;
        let offered = match self
            .offered(&selector::candidates(selector, &types), &zones)
            .await?
        {
            Ok(offered) => offered,
            Err(refusal) => return Err(needed(self.creating, refusal, advice).await),
        };
        let everywhere = |name: &str| {
            let has = |zone: &String| offered.contains(&(name.to_owned(), zone.clone()));
            zones.iter().all(has)
        };
        match selector::choose(selector, &types, everywhere) {
            Ok(types) => Ok(types),
            Err(message) => {
                self.say(&message);
                Ok(Vec::new())
            }
        }
    }

    async fn offered(
        &self,
        types: &[&str],
        zones: &[String],
    ) -> Result<Result<Vec<(String, String)>, Refusal>, Verdict> {
        /// So that types times zones are no more than one answer holds.
        const AT_ONCE: usize = 100;
        let mut pairs = Vec::new();
        for some in types.chunks(AT_ONCE) {
            match answered(self.creating, self.ec2.offerings(some, zones).await).await? {
                Ok(found) => pairs.extend(found),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(pairs))
    }

    /// The zones of the nodegroup, as far as they are known by now.
    async fn zones(&self) -> Result<Vec<String>, Verdict> {
        let named = self.nodegroup.place.named_zones();
        if !named.is_empty() {
            return Ok(named.to_vec());
        }
        let planned = self.creating.stage.kept.work.network.as_ref();
        let planned = planned
            .map(crate::domain::cluster::NetworkPlan::zones)
            .unwrap_or_default();
        if !planned.is_empty() {
            return Ok(planned);
        }
        let network = super::node_network::found(self.creating).await?;
        let places = network.of(self.nodegroup).iter();
        let zones = places.filter_map(|place| place.zone.clone());
        let zones: std::collections::BTreeSet<String> = zones.collect();
        Ok(zones.into_iter().collect())
    }

    /// The fewest network cards of the instances.
    async fn network_cards(&mut self) -> Result<Option<u32>, Verdict> {
        let types = self.nodegroup.types();
        if self.nodegroup.hardware.efa.is_none() || types.is_empty() {
            return Ok(None);
        }
        let answer = self.ec2.instance_types(&types, &[]).await;
        let what = "how many network cards the instances have; one is taken";
        let found = self
            .kept(answer, (what, "ec2:DescribeInstanceTypes"))
            .await?;
        let found: Vec<InstanceFacts> = found.unwrap_or_default();
        for one in found.iter().filter(|one| !one.efa) {
            self.say(&format!(
                "instances of type {} have no elastic fabric adapters: choose others, or remove efaEnabled",
                one.name
            ));
        }
        Ok(found.iter().map(|one| one.network_cards).min())
    }

    async fn root_device(&mut self) -> Result<Option<String>, Verdict> {
        let nodegroup = self.nodegroup;
        let named = nodegroup.volume.name.is_some() || nodegroup.image.family.is_bottlerocket();
        let Some(image) = nodegroup.image.id.as_deref().filter(|_| !named) else {
            return Ok(None);
        };
        let answer = self.ec2.root_device(image).await;
        let what = format!("what the first disk of image {image} is named");
        Ok(self
            .kept(answer, (&what, "ec2:DescribeImages"))
            .await?
            .flatten())
    }

    async fn template(&mut self) -> Result<Option<GivenTemplate>, Verdict> {
        let Some(given) = &self.nodegroup.launch_template else {
            return Ok(None);
        };
        let (id, version) = (given.named.id.as_str(), given.named.version.as_deref());
        let answer = self.ec2.launch_template(id, version).await;
        let what = format!("what is in launch template {id}");
        let action = "ec2:DescribeLaunchTemplateVersions";
        let Some(found) = self.kept(answer, (&what, action)).await? else {
            return Ok(None);
        };
        let Some(facts) = found else {
            self.say(&format!("launch template {id} has no such version"));
            return Ok(None);
        };
        let types = !self.nodegroup.instance_types.is_empty() || self.nodegroup.selector.is_some();
        for (is_wrong, message) in [
            (
                facts.instance_type.is_some() && types,
                "the launch template names an instance type: remove it there, or instanceTypes and \
                 instanceSelector here",
            ),
            (
                facts.instance_type.is_none() && !types,
                "the launch template names no instance type: name some in instanceTypes",
            ),
            (
                facts.image.is_some() && !facts.has_user_data,
                "the launch template names an image and has no user data by which its nodes would join",
            ),
            (
                facts.image.is_some() && self.nodegroup.image.release.is_some(),
                "the launch template names an image: remove releaseVersion",
            ),
            (
                facts.has_profile,
                "the launch template names an instance profile, and EKS takes none: name the role in \
                 iam.instanceRoleARN",
            ),
        ] {
            if is_wrong {
                self.say(message);
            }
        }
        Ok(Some(GivenTemplate {
            named: given.named.clone(),
            instance_type: facts.instance_type,
            has_image: facts.image.is_some(),
        }))
    }
}

/// Whether AWS says that there is no such thing, or that its id can't be one.
fn is_missing(refusal: &Refusal) -> bool {
    matches!(refusal.class, Class::NotFound | Class::InvalidParameter)
}
