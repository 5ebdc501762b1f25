//! What EKS looks at, and makes, with the rights of who calls it, and its words where these don't do.

use super::access::authorize;
use super::arn::partition;
use super::caller::Caller;
use super::error::AwsError;
use super::world::World;

/// A role that AWS's service makes for itself in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceLinkedRole {
    service: &'static str,
    name: &'static str,
}

pub(super) const OF_FARGATE: ServiceLinkedRole = ServiceLinkedRole {
    service: "eks-fargate.amazonaws.com",
    name: "AWSServiceRoleForAmazonEKSForFargate",
};
pub(super) const OF_EKS: ServiceLinkedRole = ServiceLinkedRole {
    service: "eks.amazonaws.com",
    name: "AWSServiceRoleForAmazonEKS",
};
pub(super) const OF_NODEGROUPS: ServiceLinkedRole = ServiceLinkedRole {
    service: "eks-nodegroup.amazonaws.com",
    name: "AWSServiceRoleForAmazonEKSNodegroup",
};
pub(super) const OF_AUTOSCALING: ServiceLinkedRole = ServiceLinkedRole {
    service: "autoscaling.amazonaws.com",
    name: "AWSServiceRoleForAutoScaling",
};

impl World {
    /// What EKS does before it makes a Fargate profile, with the rights of the caller.
    pub(super) fn check_forwarded(
        &mut self,
        caller: &Caller,
        role_arn: &str,
    ) -> Result<(), AwsError> {
        self.service_linked(caller, OF_FARGATE)?;
        for right in ["ec2:DescribeSubnets", "ec2:DescribeRouteTables"] {
            authorize(caller, right, "*").map_err(|_| missing(right))?;
        }
        authorize(caller, "iam:GetRole", role_arn).map_err(|_| missing("iam:GetRole"))
    }

    /// Looks for a service's own role, and makes it when the account has none.
    pub(super) fn service_linked(
        &mut self,
        caller: &Caller,
        role: ServiceLinkedRole,
    ) -> Result<(), AwsError> {
        let ServiceLinkedRole { service, name } = role;
        let (partition, account) = (partition(&caller.region), &caller.account);
        let arn = format!("arn:{partition}:iam::{account}:role/aws-service-role/{service}/{name}");
        authorize(caller, "iam:GetRole", &arn).map_err(|_| {
            AwsError::invalid_request(format!(
                "Failed to validate if SLR: {name} already exists due to missing permissions for \
                 'iam:GetRole'"
            ))
        })?;
        if self.iam(account).service_linked.contains(&role) {
            return Ok(());
        }
        authorize(caller, "iam:CreateServiceLinkedRole", &arn)?;
        self.iam(account).service_linked.insert(role);
        Ok(())
    }
}

fn missing(right: &str) -> AwsError {
    AwsError::invalid_request(format!("Missing permissions for `{right}`"))
}
