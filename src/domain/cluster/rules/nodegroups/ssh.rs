//! Who can log in to nodes.

use super::{Wrong, place};
use crate::domain::cluster::image::ImageFamily;
use crate::domain::cluster::spec::nodegroup::{SshKey, SshSpec};
use crate::domain::eksctl::nodegroup::NodeGroupSsh;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The key that eksctl takes if none is named.
const DEFAULT_FILE: &str = "~/.ssh/id_rsa.pub";
const MAX_KEY: usize = 2048;

pub(super) fn of(
    input: Option<&NodeGroupSsh>,
    family: ImageFamily,
    wrong: &mut Wrong<'_>,
) -> Option<SshSpec> {
    let ssh = input?;
    if ssh.enable_ssm == Some(false) {
        let message = "EKS's images have the SSM agent, which can't be turned off: remove it";
        wrong.say("ssh/enableSsm", message);
    }
    let named = ssh.public_key_name.clone().map(SshKey::Named);
    let public = ssh.public_key.clone().map(SshKey::Public);
    let file = ssh.public_key_path.clone().map(SshKey::File);
    let keys: Vec<SshKey> = [named, public, file].into_iter().flatten().collect();
    if keys.len() > 1 {
        let message = "expected one of publicKeyName, publicKey and publicKeyPath";
        wrong.say("ssh", message);
    }
    wrong.plain("ssh/publicKeyName", ssh.public_key_name.as_deref(), 255);
    if let Some(message) = ssh
        .public_key
        .as_deref()
        .and_then(|key| wrong_key(key, family))
    {
        wrong.say("ssh/publicKey", message);
    }
    place::check_groups(
        &ssh.source_security_group_ids,
        "ssh/sourceSecurityGroupIds",
        wrong,
    );
    let default = || (ssh.allow == Some(true)).then(|| SshKey::File(DEFAULT_FILE.to_owned()));
    let key = keys.into_iter().next().or_else(default)?;
    Some(SshSpec {
        key,
        allow: ssh.allow.unwrap_or(true),
        sources: ssh.source_security_group_ids.clone(),
    })
}

fn wrong_key(key: &str, family: ImageFamily) -> Option<String> {
    let mut parts = key.split_whitespace();
    let (kind, body) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let whole = STANDARD.decode(body).is_ok_and(|bytes| !bytes.is_empty());
    let known = ["ssh-rsa", "ssh-ed25519"].contains(&kind);
    let visible = !key.contains("{{") && !key.chars().any(|c| c.is_control() && c != '\n');
    if !whole || !known || !visible || key.len() > MAX_KEY {
        return Some(
            "expected the line of a public key: ssh-rsa or ssh-ed25519, then its Base64".to_owned(),
        );
    }
    (family.is_windows() && kind != "ssh-rsa")
        .then(|| "EC2 takes only ssh-rsa for Windows: use such a key".to_owned())
}
