//! Session policies: what one kind of job may do, whatever the role allows.

use serde_json::{Value, json};

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Describe and list.
    Read,
    /// Create profiles, and read.
    CreateProfile,
    /// Delete profiles, and read.
    DeleteProfile,
}

/// AWS's bound on a session policy, in characters.
pub const LONGEST_POLICY: usize = 2_048;

const READ: [&str; 3] = [
    "eks:DescribeCluster",
    "eks:DescribeFargateProfile",
    "eks:ListFargateProfiles",
];

/// The policy of a session that works on one cluster.
#[must_use]
pub fn session_policy(
    access: Access,
    (partition, account_id, region): (&str, &str, &str),
    cluster: &str,
) -> String {
    let eks = format!("arn:{partition}:eks:{region}:{account_id}");
    let resources = json!([
        format!("{eks}:cluster/{cluster}"),
        format!("{eks}:fargateprofile/{cluster}/*"),
    ]);
    let mut statements = vec![allow(&json!(READ), &resources)];
    match access {
        Access::Read => {}
        Access::CreateProfile => {
            statements.push(allow(
                &json!(["eks:CreateFargateProfile", "eks:TagResource"]),
                &resources,
            ));
            // EKS checks that the caller may hand the role to the pods.
            statements.push(allow(
                &json!(["iam:GetRole", "iam:PassRole"]),
                &json!(format!("arn:{partition}:iam::{account_id}:role/*")),
            ));
            statements.push(allow(
                &json!("iam:CreateServiceLinkedRole"),
                &json!(format!(
                    "arn:{partition}:iam::{account_id}:role/aws-service-role/eks-fargate.amazonaws.com/*"
                )),
            ));
        }
        Access::DeleteProfile => {
            statements.push(allow(&json!("eks:DeleteFargateProfile"), &resources));
        }
    }
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn allow(actions: &Value, resources: &Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_policy_fits_aws_bound() {
        let cluster = "c".repeat(100);
        let place = ("aws-us-gov", "123456789012", "us-gov-west-1");
        for access in [Access::Read, Access::CreateProfile, Access::DeleteProfile] {
            assert!(session_policy(access, place, &cluster).len() <= LONGEST_POLICY);
        }
    }

    #[test]
    fn reads_cannot_write() {
        let policy = session_policy(Access::Read, ("aws", "123456789012", "eu-west-1"), "prod");
        assert!(
            !policy.contains("Create") && !policy.contains("Delete") && !policy.contains("iam:")
        );
    }
}
