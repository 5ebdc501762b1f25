//! B23: the largest `ClusterConfig` that is taken, read by our reader and by a plain YAML reader of the same type.
//!
//! Each side reads in a process of its own, so that its peak of memory is its own.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, ValueEnum};
use fargate_fleet::domain::ClusterConfig;
use fargate_fleet::domain::decode::MAX_BYTES;
use fargate_fleet::domain::eksctl::Part;

use crate::figures::median;

/// Ours, of the peer: time and memory.
const MOST: f64 = 2.0;

#[derive(Parser)]
struct Options {
    /// Rounds of each side, in turn
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Reads in a round
    #[arg(long, default_value_t = 100)]
    reads: u32,
    /// Reads by one side, and prints milliseconds a read and the peak of memory in KiB
    #[arg(long, hide = true)]
    side: Option<Side>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Side {
    Ours,
    Peer,
}

pub fn run(options: Vec<String>) -> anyhow::Result<()> {
    let options = Options::try_parse_from(std::iter::once("B23".to_owned()).chain(options))?;
    if let Some(side) = options.side {
        return read(side, options.reads);
    }
    let text = largest();
    println!(
        "a file of {} bytes, {} reads a round",
        text.len(),
        options.reads
    );
    let mut figures = [const { (Vec::new(), Vec::new()) }; 2];
    for _ in 0..options.rounds {
        for (side, (times, peaks)) in ["ours", "peer"].into_iter().zip(&mut figures) {
            let (time, peak) = child(side, options.reads)?;
            times.push(time);
            peaks.push(peak);
        }
    }
    let [ours, peer] = &figures;
    let (time, peak) = (ratio(&ours.0, &peer.0), ratio(&ours.1, &peer.1));
    let [ours, peer] = figures.map(|(times, peaks)| (median(&times), median(&peaks)));
    println!(
        "ours:       {:.2} ms a read, peak {:.0} KiB",
        ours.0, ours.1
    );
    println!(
        "serde_yaml: {:.2} ms a read, peak {:.0} KiB",
        peer.0, peer.1
    );
    println!("{time:.2} x the time, {peak:.2} x the memory; at most {MOST} x");
    ensure!(time <= MOST && peak <= MOST, "short");
    Ok(())
}

/// The median of the pairs' ratios.
fn ratio(ours: &[f64], peer: &[f64]) -> f64 {
    let pairs = ours.iter().zip(peer);
    median(&pairs.map(|(ours, peer)| ours / peer).collect::<Vec<_>>())
}

fn child(side: &str, reads: u32) -> anyhow::Result<(f64, f64)> {
    let output = Command::new(std::env::current_exe()?)
        .args(["B23", "--side", side, "--reads", &reads.to_string()])
        .output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    // The lines before it are the heading of each row.
    let last = told.lines().last().unwrap_or_default();
    let (time, peak) = last
        .split_once(' ')
        .with_context(|| format!("{output:?}"))?;
    Ok((time.parse()?, peak.parse()?))
}

fn read(side: Side, reads: u32) -> anyhow::Result<()> {
    let text = largest();
    let began = Instant::now();
    for _ in 0..reads {
        let config = match side {
            Side::Ours => match ClusterConfig::from_yaml(&text, Part::Whole) {
                Ok(config) => config,
                Err(wrong) => bail!("{wrong:?}"),
            },
            Side::Peer => serde_yaml_ng::from_str(&text)?,
        };
        ensure!(config.fargate_profiles.len() == 100, "not all was read");
    }
    let time = began.elapsed().as_secs_f64() * 1_000.0 / f64::from(reads);
    println!("{time} {}", peak()?);
    Ok(())
}

/// The most memory that this process has held, in KiB.
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

/// A hundred profiles with selectors and labels, and a comment that fills what is left.
fn largest() -> String {
    let mut text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n\
                    metadata: {name: largest, region: eu-central-1}\nfargateProfiles:\n"
        .to_owned();
    for profile in 0..100 {
        let _ = write!(text, "- name: profile-{profile}\n  selectors:\n");
        for selector in 0..5 {
            let _ = write!(
                text,
                "  - namespace: namespace-{profile}-{selector}\n    labels:\n"
            );
            for label in 0..5 {
                let _ = writeln!(
                    text,
                    "      example.com/label-{label}-with-a-name-of-some-length: value-{profile}-{selector}-{label}-of-some-length"
                );
            }
        }
    }
    let left = MAX_BYTES - text.len() - 3;
    let _ = writeln!(text, "# {}", "x".repeat(left));
    text
}
