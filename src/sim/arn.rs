//! ARNs: written from their parts, and taken apart again.

/// Partitions by the beginnings of their regions' names; the last one is that of all others.
const PARTITIONS: [(&str, &str); 8] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("eusc-", "aws-eusc"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("", "aws"),
];

/// The partition that a region belongs to.
pub(super) fn partition(region: &str) -> &'static str {
    PARTITIONS
        .into_iter()
        .find(|(beginning, _)| region.starts_with(beginning))
        .map_or("aws", |(_, partition)| partition)
}

/// `arn:<partition>:eks:<region>:<account>:cluster/<name>`
pub(super) fn cluster(account: &str, region: &str, name: &str) -> String {
    format!(
        "arn:{}:eks:{region}:{account}:cluster/{name}",
        partition(region)
    )
}

/// `arn:<partition>:eks:<region>:<account>:fargateprofile/<cluster>/<name>/<id>`
pub(super) fn profile(cluster_arn: &str, name: &str, id: &str) -> String {
    let base = cluster_arn.replacen(":cluster/", ":fargateprofile/", 1);
    format!("{base}/{name}/{id}")
}

/// `arn:<partition>:eks:<region>:<account>:addon/<cluster>/<name>/<id>`
pub(super) fn addon(cluster_arn: &str, name: &str, id: &str) -> String {
    let base = cluster_arn.replacen(":cluster/", ":addon/", 1);
    format!("{base}/{name}/{id}")
}

/// The parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` when it isn't one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        (!arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty())
            .then_some(arn)
    }

    /// The role's name with its path, when this is the ARN of an IAM role.
    pub(super) fn role(&self) -> Option<&'a str> {
        let known = PARTITIONS.iter().any(|(_, name)| *name == self.partition);
        let name = self.resource.strip_prefix("role/")?;
        let is_role = known && self.service == "iam" && self.region.is_empty() && !name.is_empty();
        (is_role && is_account(self.account)).then_some(name)
    }
}

/// Whether a text has the shape of an account id.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_arn_names_region_account_cluster_and_profile() {
        let cluster = cluster("111111111111", "cn-north-1", "prod-1");
        assert_eq!(
            profile(&cluster, "web", "id"),
            "arn:aws-cn:eks:cn-north-1:111111111111:fargateprofile/prod-1/web/id"
        );
    }

    #[test]
    fn only_role_arns_have_a_role() {
        let role = |text| Arn::parse(text).and_then(|arn| arn.role().map(str::to_owned));
        assert_eq!(
            role("arn:aws:iam::111111111111:role/a/b").as_deref(),
            Some("a/b")
        );
        assert_eq!(role("arn:aws:iam::111111111111:user/a"), None);
        assert_eq!(role("arn:aws:iam::1111:role/a"), None);
        assert_eq!(role("arn:aws:iam::111111111111:role/"), None);
        assert_eq!(role("role/a"), None);
    }
}
