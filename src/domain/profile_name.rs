//! Names that we give: the default profile's, and those of profiles that came without one.

use super::ids::ProfileName;
use super::profile::ProfileSpec;
use super::selector::Selector;
use sha2::{Digest, Sha256};

/// eksctl's default profile: everything in `default` and `kube-system`.
#[must_use]
pub fn default_profile() -> ProfileSpec {
    ProfileSpec {
        name: Some(ProfileName::trusted("fp-default".to_owned())),
        selectors: ["default", "kube-system"]
            .map(Selector::of_namespace)
            .into(),
        ..ProfileSpec::default()
    }
}

/// The `n`-th name tried for a profile without one: `fp-` and eight of `[a-f0-9]`.
///
/// The same seed (a job's id) and `n` always give the same name, so a step that runs twice does
/// not make two profiles.
#[must_use]
pub fn generated_name(seed: &[u8], n: u32) -> ProfileName {
    let digest = Sha256::new()
        .chain_update(b"fargate-profile-name\0")
        .chain_update(n.to_be_bytes())
        .chain_update(seed)
        .finalize();
    let number = digest
        .iter()
        .take(4)
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    ProfileName::trusted(format!("fp-{number:08x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_default_profile_is_eksctls() {
        let profile = serde_json::to_value(default_profile()).unwrap();
        assert_eq!(
            profile,
            serde_json::json!({
                "name": "fp-default",
                "selectors": [{"namespace": "default"}, {"namespace": "kube-system"}]
            })
        );
    }

    #[test]
    fn a_generated_name_is_the_same_each_time_and_differs_by_try() {
        let names: BTreeSet<_> = (0..100).map(|n| generated_name(b"job", n)).collect();
        assert_eq!(names.len(), 100);
        for name in &names {
            let hex = name.as_str().strip_prefix("fp-").unwrap();
            assert!(hex.len() == 8 && hex.bytes().all(|b| b"0123456789abcdef".contains(&b)));
        }
        assert_eq!(generated_name(b"job", 7), generated_name(b"job", 7));
        assert_ne!(generated_name(b"job", 0), generated_name(b"other", 0));
    }
}
