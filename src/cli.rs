//! The command line: what each command takes, and how the process ends.
//!
//! One file a command in `cli/`. Exit codes: 0 done, 1 failed, 2 the arguments or the settings
//! cannot be used. Answers go to standard output, everything else to standard error.

mod audit;
mod demo;
mod migrate;
mod openapi;
mod serve;
mod sim;
mod token;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use fargate_fleet::config::{ConfigError, Environment};
use fargate_fleet::telemetry;

/// The arguments or the settings cannot be used; clap's own code too.
const UNUSABLE: u8 = 2;

/// Manages AWS Fargate profiles on EKS across a whole fleet of accounts.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process on a throw-away Postgres and a simulated AWS
    Demo(demo::Demo),
    /// Run the simulated AWS alone, for `AWS_ENDPOINT_URL`, boto3 or the AWS CLI
    Sim(sim::Sim),
    /// Run the API, the worker or both against `DATABASE_URL`
    Serve(serve::Serve),
    /// Bring the schema of `DATABASE_URL` up to date
    Migrate(migrate::Migrate),
    /// Manage API tokens in `DATABASE_URL`
    Token(token::Token),
    /// Check the audit trail of `DATABASE_URL`
    Audit(audit::Audit),
    /// Print the OpenAPI document
    Openapi(openapi::Openapi),
}

/// Parses the arguments, runs the command and says what went wrong, if anything.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    match run_command(cli.command, &Environment::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fargate-fleet: {error:#}");
            let unusable = error.downcast_ref::<ConfigError>().is_some();
            if unusable {
                ExitCode::from(UNUSABLE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run_command(command: Command, environment: &Environment) -> anyhow::Result<()> {
    // Needs neither settings nor a runtime, so that a build can call it anywhere.
    if let Command::Openapi(openapi) = &command {
        return openapi.run();
    }
    // Tells the problems of logging together with all others.
    if matches!(command, Command::Serve(_)) {
        environment.serve()?;
    }
    telemetry::init(&environment.log()?).context("setting up logging")?;
    tokio::runtime::Runtime::new()
        .context("starting the runtime")?
        .block_on(run_on_runtime(command, environment))
}

async fn run_on_runtime(command: Command, environment: &Environment) -> anyhow::Result<()> {
    match command {
        Command::Demo(demo) => demo.run(environment).await,
        Command::Sim(sim) => sim.run().await,
        Command::Serve(serve) => Box::pin(serve.run(environment)).await,
        Command::Migrate(migrate) => migrate.run(environment).await,
        Command::Token(token) => token.run(environment).await,
        Command::Audit(audit) => audit.run(environment).await,
        Command::Openapi(openapi) => openapi.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn clap_finds_no_fault_with_the_definitions() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documented_lines_are_accepted() {
        for line in [
            "fargate-fleet demo",
            "fargate-fleet demo --listen 127.0.0.1:8080 --token T --speed 60 --fleet 3x2x2",
            "fargate-fleet sim --listen 127.0.0.1:4580 --speed 60 --fleet 100x2x5",
            "fargate-fleet serve --role worker",
            "fargate-fleet migrate",
            "fargate-fleet token create --name ci --role operator --accounts 111111111111,222222222222 --expires-in-days 30",
            "fargate-fleet token create --name portal --role operator --on-behalf-of",
            "fargate-fleet token list --all",
            "fargate-fleet token revoke 0197f6e2-a1b0-7c3d-8e4f-5a6b7c8d9e0f",
            "fargate-fleet audit verify",
            "fargate-fleet openapi --version 3.0",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "fargate-fleet demo --fleet 3x2",
            "fargate-fleet demo --fleet 0x2x2",
            "fargate-fleet demo --speed 0",
            "fargate-fleet serve --role boss",
            "fargate-fleet token create --name ci --role owner",
            "fargate-fleet token create --name ci --role viewer --accounts 1111",
            "fargate-fleet token create --name ci --role viewer --expires-in-days 0",
            "fargate-fleet token revoke mine",
            "fargate-fleet audit verify --head 12",
            "fargate-fleet openapi --version 2.0",
        ] {
            assert_eq!(
                parse(line).unwrap_err().exit_code(),
                i32::from(UNUSABLE),
                "{line}"
            );
        }
    }
}
