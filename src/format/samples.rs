//! Profiles that the tests of every format show.

use crate::domain::FargateProfile;

pub(super) fn two() -> Vec<FargateProfile> {
    let profiles = serde_json::json!([
        {
            "name": "fp-test",
            "podExecutionRoleARN": "arn:aws:iam::123:role/root",
            "selectors": [
                {"namespace": "kube-system", "labels": {"app": "my-app", "env": "test"}},
                {"namespace": "default"}
            ],
            "tags": {"app": "my-app", "env": "test"},
            "status": "ACTIVE"
        },
        {
            "name": "fp-prod",
            "podExecutionRoleARN": "arn:aws:iam::123:role/root",
            "selectors": [{"namespace": "prod", "labels": {"env": "prod"}}],
            "subnets": ["subnet-prod", "subnet-d34dc0w"],
            "status": "ACTIVE"
        }
    ]);
    serde_json::from_value(profiles).unwrap()
}
