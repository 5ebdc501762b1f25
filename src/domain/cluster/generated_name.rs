//! The name of a cluster that came without one, as eksctl makes it: adjective, noun, seconds since 1970.

use sha2::{Digest, Sha256};

/// What stands for the name in a plan.
pub const STAND_IN: &str = "named-when-created";

const ADJECTIVES: [&str; 64] = [
    "amber", "ample", "azure", "bold", "brave", "bright", "brisk", "broad", "calm", "clear",
    "clever", "cool", "coral", "crisp", "deep", "eager", "early", "even", "fair", "fine", "firm",
    "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "hardy", "keen", "kind",
    "large", "light", "lively", "long", "lucky", "mellow", "mild", "neat", "noble", "open", "pale",
    "patient", "plain", "proud", "quick", "quiet", "rapid", "ready", "round", "royal", "sharp",
    "silver", "smooth", "solid", "steady", "still", "sunny", "swift", "tidy", "vivid", "warm",
    "wide", "wise",
];

const NOUNS: [&str; 64] = [
    "anchor", "arch", "badge", "beacon", "birch", "bridge", "brook", "canoe", "canyon", "cedar",
    "cliff", "cloud", "comet", "coral", "delta", "dune", "falcon", "fern", "field", "forest",
    "garden", "glacier", "grove", "harbor", "heron", "hill", "island", "kettle", "lagoon", "lake",
    "lantern", "lark", "maple", "meadow", "mesa", "meteor", "mill", "moon", "oak", "orbit",
    "otter", "owl", "pebble", "pine", "planet", "pond", "prairie", "rain", "reef", "ridge",
    "river", "robin", "sail", "shore", "sparrow", "spring", "stone", "stream", "summit", "tide",
    "valley", "wave", "willow", "wind",
];

/// Such as `quiet-harbor-1764193752`: the same for the same seed (a job's id) and time.
#[must_use]
pub fn generated_name(seed: &[u8], unix_seconds: i64) -> String {
    let digest = Sha256::new()
        .chain_update(b"cluster-name\0")
        .chain_update(seed)
        .finalize();
    let pick = |words: &'static [&'static str], nth: usize| {
        let byte = digest.get(nth).copied().map_or(0, usize::from);
        words.get(byte % words.len()).copied().unwrap_or("plain")
    };
    let (adjective, noun) = (pick(&ADJECTIVES, 0), pick(&NOUNS, 1));
    format!("{adjective}-{noun}-{}", unix_seconds.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ClusterName;
    use std::collections::BTreeSet;

    #[test]
    fn a_generated_name_has_eksctls_form_and_is_the_same_for_the_same_seed() {
        let names: BTreeSet<_> = (0..200_u8)
            .map(|seed| generated_name(&[seed], 1_764_193_752))
            .collect();
        assert!(names.len() > 180, "{}", names.len());
        for name in &names {
            assert!(ClusterName::parse(name.clone()).is_ok());
            let parts: Vec<&str> = name.split('-').collect();
            let [adjective, noun, time] = parts.as_slice() else {
                panic!("{name}");
            };
            assert!(ADJECTIVES.contains(adjective) && NOUNS.contains(noun));
            assert_eq!(*time, "1764193752");
            assert!(name.len() <= 30);
        }
        assert_eq!(generated_name(b"job", 7), generated_name(b"job", 7));
    }

    #[test]
    fn every_word_stands_once() {
        for words in [ADJECTIVES, NOUNS] {
            let different: BTreeSet<_> = words.iter().collect();
            assert_eq!(different.len(), words.len());
        }
    }
}
