//! The images that nodes run: how each family is looked up, called by EKS, and laid out.

use super::ec2_instance::{Arch, Variant};
use crate::domain::macros::open_enum;

open_enum! {
    /// A family of images.
    ImageFamily as "AMI family" {
        /// EKS's of Amazon Linux 2023.
        AmazonLinux2023 => "AmazonLinux2023",
        /// EKS's of Amazon Linux 2.
        AmazonLinux2 => "AmazonLinux2",
        /// Bottlerocket.
        Bottlerocket => "Bottlerocket",
        /// Bottlerocket with cryptography by FIPS 140-3.
        BottlerocketFips => "BottlerocketFips",
        /// Canonical's.
        Ubuntu2004 => "Ubuntu2004",
        /// Canonical's.
        UbuntuPro2004 => "UbuntuPro2004",
        /// Canonical's.
        Ubuntu2204 => "Ubuntu2204",
        /// Canonical's.
        UbuntuPro2204 => "UbuntuPro2204",
        /// Canonical's.
        Ubuntu2404 => "Ubuntu2404",
        /// Canonical's.
        UbuntuPro2404 => "UbuntuPro2404",
        /// Canonical's.
        Ubuntu2604 => "Ubuntu2604",
        /// Canonical's.
        UbuntuPro2604 => "UbuntuPro2604",
        /// EKS's of Windows Server.
        WindowsServer2019CoreContainer => "WindowsServer2019CoreContainer",
        /// EKS's of Windows Server.
        WindowsServer2019FullContainer => "WindowsServer2019FullContainer",
        /// EKS's of Windows Server.
        WindowsServer2022CoreContainer => "WindowsServer2022CoreContainer",
        /// EKS's of Windows Server.
        WindowsServer2022FullContainer => "WindowsServer2022FullContainer",
        /// EKS's of Windows Server.
        WindowsServer2025CoreContainer => "WindowsServer2025CoreContainer",
        /// EKS's of Windows Server.
        WindowsServer2025FullContainer => "WindowsServer2025FullContainer",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro that makes the type takes no attributes of its values"
)]
impl Default for ImageFamily {
    fn default() -> Self {
        Self::AmazonLinux2023
    }
}

/// What makes a node of a family join its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bootstrap {
    /// `nodeadm`, which reads a `NodeConfig`.
    Nodeadm,
    /// `/etc/eks/bootstrap.sh`, called by a script.
    Script,
    /// Bottlerocket, which reads settings.
    Settings,
    /// `Start-EKSBootstrap.ps1`.
    PowerShell,
}

impl ImageFamily {
    /// The family, in whatever case it is written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|family| family.as_str().eq_ignore_ascii_case(text))
    }

    pub(super) fn bootstrap(self) -> Bootstrap {
        if self.is_windows() {
            return Bootstrap::PowerShell;
        }
        match self {
            Self::AmazonLinux2023 => Bootstrap::Nodeadm,
            Self::Bottlerocket | Self::BottlerocketFips => Bootstrap::Settings,
            _ => Bootstrap::Script,
        }
    }

    /// Whether it is a Windows.
    #[must_use]
    pub fn is_windows(self) -> bool {
        self.as_str().starts_with("Windows")
    }

    pub(super) fn is_ubuntu(self) -> bool {
        self.as_str().starts_with("Ubuntu")
    }

    /// Whether it is Bottlerocket.
    #[must_use]
    pub fn is_bottlerocket(self) -> bool {
        self.bootstrap() == Bootstrap::Settings
    }

    /// The device of the first disk.
    pub(super) fn root_device(self) -> &'static str {
        if self.is_windows() || self.is_ubuntu() {
            "/dev/sda1"
        } else {
            "/dev/xvda"
        }
    }

    /// The first disk is no smaller than the image.
    pub(super) fn min_volume_gib(self) -> u32 {
        if self.is_windows() {
            50
        } else if self.is_bottlerocket() {
            1
        } else {
            20
        }
    }

    /// EKS's name for the image of a managed nodegroup; none where EKS has no such image.
    pub(super) fn ami_type(self, chip: (Arch, Variant)) -> Option<&'static str> {
        use Arch::{Arm, X86};
        use Variant::{Neuron, Nvidia, Standard};
        let x86 = |name: &'static str| match chip {
            (X86, Standard | Nvidia) => Some(name),
            _ => None,
        };
        match self {
            Self::AmazonLinux2023 => match chip {
                (X86, Standard) => Some("AL2023_x86_64_STANDARD"),
                (X86, Nvidia) => Some("AL2023_x86_64_NVIDIA"),
                (X86, Neuron) => Some("AL2023_x86_64_NEURON"),
                (Arm, Standard) => Some("AL2023_ARM_64_STANDARD"),
                (Arm, Nvidia) => Some("AL2023_ARM_64_NVIDIA"),
                (Arm, Neuron) => None,
            },
            Self::AmazonLinux2 => match chip {
                (X86, Standard) => Some("AL2_x86_64"),
                (X86, Nvidia | Neuron) => Some("AL2_x86_64_GPU"),
                (Arm, Standard) => Some("AL2_ARM_64"),
                (Arm, _) => None,
            },
            Self::Bottlerocket => Some(match chip {
                (X86, Nvidia) => "BOTTLEROCKET_x86_64_NVIDIA",
                (X86, _) => "BOTTLEROCKET_x86_64",
                (Arm, Nvidia) => "BOTTLEROCKET_ARM_64_NVIDIA",
                (Arm, _) => "BOTTLEROCKET_ARM_64",
            }),
            Self::BottlerocketFips => Some(match chip {
                (X86, Nvidia) => "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
                (X86, _) => "BOTTLEROCKET_x86_64_FIPS",
                (Arm, Nvidia) => "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
                (Arm, _) => "BOTTLEROCKET_ARM_64_FIPS",
            }),
            Self::WindowsServer2019CoreContainer => x86("WINDOWS_CORE_2019_x86_64"),
            Self::WindowsServer2019FullContainer => x86("WINDOWS_FULL_2019_x86_64"),
            Self::WindowsServer2022CoreContainer => x86("WINDOWS_CORE_2022_x86_64"),
            Self::WindowsServer2022FullContainer => x86("WINDOWS_FULL_2022_x86_64"),
            Self::WindowsServer2025CoreContainer => x86("WINDOWS_CORE_2025_x86_64"),
            Self::WindowsServer2025FullContainer => x86("WINDOWS_FULL_2025_x86_64"),
            _ => None,
        }
    }

    /// Whether there are images of it for such instances.
    pub(super) fn runs_on(self, chip: (Arch, Variant)) -> bool {
        if self.is_ubuntu() {
            return chip.1 != Variant::Neuron;
        }
        self.ami_type(chip).is_some()
    }

    /// The public parameter in which AWS, or Canonical, keeps the id of the newest image.
    #[expect(
        clippy::too_many_lines,
        reason = "a part for each way of bootstrapping"
    )]
    pub(super) fn parameter(self, version: &str, (arch, variant): (Arch, Variant)) -> String {
        let (x86, amd) = match arch {
            Arch::X86 => ("x86_64", "amd64"),
            Arch::Arm => ("arm64", "arm64"),
        };
        match self.bootstrap() {
            Bootstrap::Nodeadm => {
                let variant = match variant {
                    Variant::Standard => "standard",
                    Variant::Nvidia => "nvidia",
                    Variant::Neuron => "neuron",
                };
                format!(
                    "/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{x86}/{variant}/recommended/image_id"
                )
            }
            Bootstrap::Settings => {
                let nvidia = if variant == Variant::Nvidia {
                    "-nvidia"
                } else {
                    ""
                };
                let fips = if self == Self::BottlerocketFips {
                    "-fips"
                } else {
                    ""
                };
                format!(
                    "/aws/service/bottlerocket/aws-k8s-{version}{nvidia}{fips}/{x86}/latest/image_id"
                )
            }
            Bootstrap::PowerShell => {
                let kind = if self.as_str().contains("Core") {
                    "Core"
                } else {
                    "Full"
                };
                let year = self.digits();
                format!(
                    "/aws/service/ami-windows-latest/Windows_Server-{year}-English-{kind}-EKS_Optimized-{version}/image_id"
                )
            }
            Bootstrap::Script if self.is_ubuntu() => {
                let (year, month) = self.digits().split_at(2);
                let product = if self.as_str().contains("Pro") {
                    "eks-pro"
                } else {
                    "eks"
                };
                let disk = if year < "24" { "gp2" } else { "gp3" };
                format!(
                    "/aws/service/canonical/ubuntu/{product}/{year}.{month}/{version}/stable/current/{amd}/hvm/ebs-{disk}/ami-id"
                )
            }
            Bootstrap::Script => {
                let kind = match (arch, variant) {
                    (_, Variant::Nvidia | Variant::Neuron) => "-gpu",
                    (Arch::Arm, _) => "-arm64",
                    _ => "",
                };
                format!(
                    "/aws/service/eks/optimized-ami/{version}/amazon-linux-2{kind}/recommended/image_id"
                )
            }
        }
    }

    fn digits(self) -> &'static str {
        let text = self
            .as_str()
            .trim_start_matches(|c: char| !c.is_ascii_digit());
        text.get(..4).unwrap_or_default()
    }

    /// Why there is no image of it for a Kubernetes version.
    pub(super) fn missing_for(self, version: &str) -> Option<String> {
        let minor: u32 = version.strip_prefix("1.")?.parse().ok()?;
        let (first, last) = match self {
            Self::AmazonLinux2 => (0, 32),
            Self::Ubuntu2004 => (21, 29),
            Self::UbuntuPro2004 => (27, 29),
            Self::Ubuntu2204 | Self::UbuntuPro2204 => (29, u32::MAX),
            Self::Ubuntu2404 | Self::UbuntuPro2404 => (31, u32::MAX),
            Self::Ubuntu2604
            | Self::UbuntuPro2604
            | Self::WindowsServer2025CoreContainer
            | Self::WindowsServer2025FullContainer => (35, u32::MAX),
            _ => return None,
        };
        if (first..=last).contains(&minor) {
            return None;
        }
        let bounds = match (first, last) {
            (0, last) => format!("up to 1.{last}"),
            (first, u32::MAX) => format!("from 1.{first}"),
            (first, last) => format!("from 1.{first} to 1.{last}"),
        };
        Some(format!(
            "there are images of {self} for Kubernetes {bounds}, and none for {version}: choose another \
             amiFamily, such as AmazonLinux2023, or another version"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_parameter_of_its_own_and_a_known_root() {
        let chip = (Arch::X86, Variant::Standard);
        let of = |family: ImageFamily| family.parameter("1.35", chip);
        let all: std::collections::BTreeSet<String> =
            ImageFamily::ALL.iter().map(|family| of(*family)).collect();
        assert_eq!(all.len(), ImageFamily::ALL.len());
        assert!(all.iter().all(|path| path.contains("1.35")));
        assert_eq!(
            of(ImageFamily::Ubuntu2204),
            "/aws/service/canonical/ubuntu/eks/22.04/1.35/stable/current/amd64/hvm/ebs-gp2/ami-id"
        );
        assert_eq!(
            of(ImageFamily::WindowsServer2022FullContainer),
            "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-EKS_Optimized-1.35/image_id"
        );
        let nvidia = ImageFamily::BottlerocketFips.parameter("1.34", (Arch::Arm, Variant::Nvidia));
        assert_eq!(
            nvidia,
            "/aws/service/bottlerocket/aws-k8s-1.34-nvidia-fips/arm64/latest/image_id"
        );
        let neuron = ImageFamily::AmazonLinux2.parameter("1.32", (Arch::X86, Variant::Neuron));
        assert_eq!(
            neuron,
            "/aws/service/eks/optimized-ami/1.32/amazon-linux-2-gpu/recommended/image_id"
        );
        assert_eq!(ImageFamily::Ubuntu2404.root_device(), "/dev/sda1");
    }

    #[test]
    fn families_end_and_begin_with_versions_of_kubernetes() {
        use ImageFamily::{AmazonLinux2, AmazonLinux2023, Ubuntu2004, Ubuntu2404};
        for (family, version, there) in [
            (AmazonLinux2023, "1.35", true),
            (AmazonLinux2, "1.32", true),
            (AmazonLinux2, "1.33", false),
            (Ubuntu2004, "1.29", true),
            (Ubuntu2004, "1.30", false),
            (Ubuntu2404, "1.30", false),
            (Ubuntu2404, "latest", true),
        ] {
            let missing = family.missing_for(version);
            assert_eq!(missing.is_none(), there, "{family} {version} {missing:?}");
        }
    }

    #[test]
    fn a_family_is_read_in_any_case() {
        assert_eq!(
            ImageFamily::read("bottlerocket"),
            Some(ImageFamily::Bottlerocket)
        );
        assert_eq!(ImageFamily::read("AmazonLinux"), None);
    }
}
