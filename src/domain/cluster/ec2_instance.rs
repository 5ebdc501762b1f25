//! What the name of an EC2 instance type says: its processor, and whether it has accelerators.

/// A processor's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arch {
    X86,
    Arm,
}

/// Which image a node needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Standard,
    Nvidia,
    Neuron,
}

/// What can be read out of a type such as `m7g.large`: family, generation, attributes, size.
pub(super) fn of(instance_type: &str) -> (Arch, Variant) {
    let family = instance_type.split('.').next().unwrap_or_default();
    let digit = |c: char| c.is_ascii_digit();
    let letters = family.split(digit).next().unwrap_or_default();
    let attributes = family.trim_start_matches(letters).trim_start_matches(digit);
    let arm = letters == "a" || attributes.contains('g');
    let arch = if arm { Arch::Arm } else { Arch::X86 };
    let variant = match letters {
        // g4ad has graphics of another make.
        "g" if attributes == "ad" => Variant::Standard,
        "g" | "gr" | "p" => Variant::Nvidia,
        "inf" | "trn" => Variant::Neuron,
        _ => Variant::Standard,
    };
    (arch, variant)
}

/// Whether a text has the form of an instance type.
pub(super) fn is_type(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let word = |word: &str| !word.is_empty() && word.chars().all(allowed);
    text.len() <= 32
        && text
            .split_once('.')
            .is_some_and(|(family, size)| word(family) && word(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_and_accelerators_are_told_by_name() {
        for (name, arch, variant) in [
            ("m5.large", Arch::X86, Variant::Standard),
            ("m7i-flex.large", Arch::X86, Variant::Standard),
            ("c7gn.xlarge", Arch::Arm, Variant::Standard),
            ("t4g.medium", Arch::Arm, Variant::Standard),
            ("a1.large", Arch::Arm, Variant::Standard),
            ("is4gen.large", Arch::Arm, Variant::Standard),
            ("u7i-12tb.224xlarge", Arch::X86, Variant::Standard),
            ("g4dn.xlarge", Arch::X86, Variant::Nvidia),
            ("g4ad.xlarge", Arch::X86, Variant::Standard),
            ("g5g.xlarge", Arch::Arm, Variant::Nvidia),
            ("p5.48xlarge", Arch::X86, Variant::Nvidia),
            ("trn1n.32xlarge", Arch::X86, Variant::Neuron),
            ("inf2.xlarge", Arch::X86, Variant::Neuron),
        ] {
            assert_eq!(of(name), (arch, variant), "{name}");
            assert!(is_type(name), "{name}");
        }
        for bad in [
            "",
            "m5",
            "m5.",
            ".large",
            "M5.large",
            "m5.large.x",
            "m5 .large",
        ] {
            assert!(!is_type(bad), "{bad}");
        }
    }
}
