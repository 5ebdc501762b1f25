//! EC2: what nodegroups are made of: instance types, images, key pairs, launch templates.

use roxmltree::Node;

use super::caller::Service;
use super::ec2::Ec2;
use super::query::{Query, QueryService, child, items_of, page, within};
use super::refusal::Refusal;
use crate::domain::cluster::selector::InstanceFacts;

/// What a launch template says that matters to a nodegroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFacts {
    /// The instance type.
    pub instance_type: Option<String>,
    /// The image.
    pub image: Option<String>,
    /// Whether it has user data.
    pub has_user_data: bool,
    /// Whether it has an instance profile.
    pub has_profile: bool,
}

/// The name of a filter, and one value of it.
pub type Filter<'a> = (&'a str, String);

impl Ec2 {
    /// The instance types that pass these filters, or those that are named, over all pages.
    pub async fn instance_types(
        &self,
        names: &[&str],
        filters: &[Filter<'_>],
    ) -> Result<Vec<InstanceFacts>, Refusal> {
        let mut parameters = numbered("InstanceType", names);
        for (at, (name, value)) in filters.iter().enumerate() {
            parameters.push((format!("Filter.{}.Name", at + 1), (*name).to_owned()));
            parameters.push((format!("Filter.{}.Value.1", at + 1), value.clone()));
        }
        // AWS takes either names or a number of results.
        if names.is_empty() {
            parameters.push(("MaxResults".to_owned(), "100".to_owned()));
        }
        let action = "DescribeInstanceTypes";
        self.pages(action, parameters, "instanceTypeSet", instance)
            .await
    }

    /// The device of an image's first disk; none if there is no such image.
    pub async fn root_device(&self, image: &str) -> Result<Option<String>, Refusal> {
        let parameters = numbered("ImageId", &[image]);
        let devices = self
            .pages("DescribeImages", parameters, "imagesSet", |node| {
                child(node, "rootDeviceName")
            })
            .await?;
        Ok(devices.into_iter().flatten().next())
    }

    /// Whether these key pairs are there: AWS refuses one that is not.
    pub async fn check_key_pair(&self, name: &str) -> Result<(), Refusal> {
        let parameters = numbered("KeyName", &[name]);
        self.pages("DescribeKeyPairs", parameters, "keySet", |_| ())
            .await?;
        Ok(())
    }

    /// A version of a launch template, its default without a number; none if there is none.
    pub async fn launch_template(
        &self,
        id: &str,
        version: Option<&str>,
    ) -> Result<Option<TemplateFacts>, Refusal> {
        let mut parameters = numbered("LaunchTemplateVersion", &[version.unwrap_or("$Default")]);
        parameters.push(("LaunchTemplateId".to_owned(), id.to_owned()));
        let action = "DescribeLaunchTemplateVersions";
        let versions = self
            .pages(action, parameters, "launchTemplateVersionSet", template)
            .await?;
        Ok(versions.into_iter().next())
    }

    /// The addresses of a VPC.
    pub async fn vpc_cidr(&self, id: &str) -> Result<Option<String>, Refusal> {
        let parameters = numbered("VpcId", &[id]);
        let found = self
            .pages("DescribeVpcs", parameters, "vpcSet", |node| {
                child(node, "cidrBlock")
            })
            .await?;
        Ok(found.into_iter().flatten().next())
    }

    async fn pages<T>(
        &self,
        action: &'static str,
        parameters: Vec<(String, String)>,
        list: &str,
        read: impl Fn(Node<'_, '_>) -> T,
    ) -> Result<Vec<T>, Refusal> {
        /// More than any region has; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 50;
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut parameters = parameters.clone();
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

fn numbered(name: &str, values: &[&str]) -> Vec<(String, String)> {
    let values = values.iter().enumerate();
    values
        .map(|(at, value)| (format!("{name}.{}", at + 1), (*value).to_owned()))
        .collect()
}

fn instance(node: Node<'_, '_>) -> InstanceFacts {
    let number =
        |outer: &str, inner: &str| within(node, outer, inner).and_then(|text| text.parse().ok());
    let part = |name: &str| node.children().find(|one| one.tag_name().name() == name);
    let counted = |outer: &str, list: &str| -> u32 {
        let devices = part(outer)
            .into_iter()
            .flat_map(|outer| items_of(outer, list));
        devices
            .filter_map(|device| child(device, "count")?.parse::<u32>().ok())
            .sum()
    };
    let architectures = part("processorInfo").into_iter();
    let architectures = architectures.flat_map(|info| items_of(info, "supportedArchitectures"));
    let neuron = counted("neuronInfo", "neuronDevices");
    let older = counted("inferenceAcceleratorInfo", "accelerators");
    InstanceFacts {
        name: child(node, "instanceType").unwrap_or_default(),
        architectures: architectures
            .filter_map(|one| one.text().map(str::to_owned))
            .collect(),
        vcpus: number("vCpuInfo", "defaultVCpus").unwrap_or_default(),
        memory_mib: within(node, "memoryInfo", "sizeInMiB")
            .and_then(|text| text.parse().ok())
            .unwrap_or_default(),
        gpus: counted("gpuInfo", "gpus"),
        neuron_devices: neuron.max(older),
        network_cards: number("networkInfo", "maximumNetworkCards").unwrap_or(1),
        efa: within(node, "networkInfo", "efaSupported").as_deref() == Some("true"),
    }
}

fn template(node: Node<'_, '_>) -> TemplateFacts {
    let of = |name: &str| within(node, "launchTemplateData", name).filter(|text| !text.is_empty());
    let data = node
        .children()
        .find(|one| one.tag_name().name() == "launchTemplateData");
    let profile = data.and_then(|data| {
        let profile = data
            .children()
            .find(|one| one.tag_name().name() == "iamInstanceProfile");
        profile.filter(roxmltree::Node::has_children)
    });
    TemplateFacts {
        instance_type: of("instanceType"),
        image: of("imageId"),
        has_user_data: of("userData").is_some(),
        has_profile: profile.is_some(),
    }
}
