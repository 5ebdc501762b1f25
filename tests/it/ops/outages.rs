//! Outages of AWS, of the way to it, and of the worker's own credentials: every queued change ends
//! well afterwards, and few calls are made while they last.
//!
//! `cargo test --test it outages -- --nocapture` prints what each outage cost.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use fargate_fleet::aws::AwsOptions;
use fargate_fleet::sim::{Call, Fault};
use uuid::Uuid;

use super::clusters::support::{NEW, full};
use super::support::{ACCOUNT, Fleet, fault, roleless_input};

/// Six hours pass in six seconds.
const SPEED: f64 = 3_600.0;
const HOUR: u32 = 3_600;
/// How long a call may take here; ten seconds at AWS.
const CALL_TIMEOUT: Duration = Duration::from_millis(400);
/// Longer than that.
const HANG_MS: u64 = 800;
/// A minute passes in one second: less would be over before all have met it.
const SLOWLY: f64 = 60.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An answer with this status.
    Status(u16),
    /// The change is made, and the connection ends without an answer.
    Cut,
    /// No answer in time.
    Hang,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    service: &'static str,
    kind: Kind,
    seconds: u32,
    /// AWS begins to fail when it has answered so many calls of the service.
    skip: u32,
}

impl Outage {
    fn fault(self) -> Fault {
        let fault = Fault {
            service: Some(self.service.to_owned()),
            for_seconds: Some(f64::from(self.seconds)),
            skip: Some(self.skip),
            ..fault("*")
        };
        match self.kind {
            Kind::Status(status) => Fault {
                status: Some(status),
                ..fault
            },
            Kind::Cut => Fault { cut: true, ..fault },
            Kind::Hang => Fault {
                status: Some(504),
                delay_ms: Some(HANG_MS),
                ..fault
            },
        }
    }

    fn is_of_it(self, call: &Call) -> bool {
        match self.kind {
            Kind::Status(status) => call.status == Some(status),
            Kind::Cut => call.status.is_none(),
            Kind::Hang => call.status == Some(504) || call.status.is_none(),
        }
    }
}

/// The calls of an outage that are allowed: a probe each two minutes when it lasts, some more at first,
/// and what was under way when it began.
const fn bound(seconds: u32) -> usize {
    48 + (seconds / 100) as usize
}

/// Profiles made and deleted.
async fn profiles(fleet: &Fleet) -> Vec<Uuid> {
    fleet.put("fp-old", "old", "ACTIVE");
    vec![
        fleet.create("web", "web").await,
        fleet.delete("fp-old", true).await,
        fleet.create("api", "api").await,
    ]
}

/// Changes that need every service: the same, a role by a stack, a cluster of everything.
async fn changes(fleet: &Fleet) -> Vec<Uuid> {
    let mut jobs = profiles(fleet).await;
    let input = roleless_input("fp-role", "roles");
    let what = (Some("fp-role"), input);
    let role = fleet.submit_to(ACCOUNT, "dev-1", "create_fargate_profile", what);
    jobs.push(role.await);
    jobs.push(fleet.create_cluster(&full(NEW)).await);
    jobs
}

/// Every change has ended well, by no attempt, and nothing was made twice.
async fn all_ended_well(fleet: &Fleet, jobs: &[Uuid], about: &str) {
    for job in jobs {
        let state = fleet.queue.column(*job, "state").await;
        let message = fleet.queue.column(*job, "message").await;
        assert_eq!(state, "succeeded", "{about}: {message}");
        let attempts = fleet.queue.column(*job, "attempt").await;
        assert_eq!(attempts, "0", "{about}: {message}");
    }
    let mut begun = fleet.begun();
    begun.retain(|change| change.starts_with("Create"));
    let all = begun.len();
    begun.sort_unstable();
    begun.dedup();
    assert_eq!(begun.len(), all, "{about}: made twice: {begun:?}");
}

async fn survive(outage: Outage) {
    let short = outage.seconds < HOUR;
    let speed = if short { SLOWLY } else { SPEED };
    let fleet = Fleet::with(|options| options.speed = speed).await;
    let aws = AwsOptions {
        call_timeout: CALL_TIMEOUT,
        ..AwsOptions::default()
    };
    fleet.sim.add_faults(vec![outage.fault()]);
    let jobs = if short {
        profiles(&fleet).await
    } else {
        changes(&fleet).await
    };
    let worker = fleet.worker_on(fleet.aws_by(aws).await);
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    let about = format!("{outage:?}");
    all_ended_well(&fleet, &jobs, &about).await;
    let calls = fleet.sim.record().calls;
    let made = calls.iter().filter(|call| outage.is_of_it(call)).count();
    println!(
        "| {} | {:?} | {} min | after {} calls | {} jobs | {made} calls in it |",
        outage.service,
        outage.kind,
        outage.seconds / 60,
        outage.skip,
        jobs.len(),
    );
    assert!(made > 0, "{about}: nobody noticed it");
    assert!(made <= bound(outage.seconds), "{about}: {made} calls");
    fleet.end().await;
}

/// Two at a time: more workers would starve each other.
async fn survive_all(outages: Vec<Outage>) {
    for pair in outages.chunks(2) {
        let pair = pair.iter().map(|outage| survive(*outage));
        futures_util::future::join_all(pair).await;
    }
}

/// Of each kind. One begins in the middle of the work, where the service is called often enough.
fn of(service: &'static str, seconds: u32) -> Vec<Outage> {
    let skip = match service {
        _ if seconds < HOUR => 0,
        "sts" => 2,
        "eks" | "cloudformation" => 6,
        _ => 0,
    };
    let kinds = [
        (Kind::Status(503), 0),
        (Kind::Status(500), skip),
        (Kind::Cut, 0),
        (Kind::Hang, 0),
    ];
    let outages = kinds.into_iter().map(|(kind, skip)| Outage {
        service,
        kind,
        seconds,
        skip,
    });
    outages.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_without_sts_lose_no_change() {
    survive_all(of("sts", 6 * HOUR)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_without_eks_lose_no_change() {
    survive_all(of("eks", 6 * HOUR)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_without_cloudformation_lose_no_change() {
    survive_all(of("cloudformation", 6 * HOUR)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_without_iam_or_ec2_lose_no_change() {
    survive_all(of("iam", 6 * HOUR)).await;
    survive_all(of("ec2", 6 * HOUR)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_minute_without_sts_or_eks_loses_no_change() {
    for service in ["sts", "eks"] {
        survive_all(of(service, 60)).await;
    }
}

/// The load balancers of a cluster can only be deleted through it, and a new one's nodes are looked for
/// there.
async fn survive_without_kubernetes(outage: Outage) {
    let fleet = Fleet::with(|options| options.speed = SPEED).await;
    fleet.have_cluster(&full(NEW)).await;
    fleet.expose(NEW, "web").await;
    fleet.sim.add_faults(vec![outage.fault()]);
    let jobs = [
        fleet.delete_cluster(NEW, false).await,
        fleet.create_cluster(&full("new-2")).await,
    ];
    let aws = AwsOptions {
        call_timeout: CALL_TIMEOUT,
        ..AwsOptions::default()
    };
    let worker = fleet.worker_on(fleet.aws_by(aws).await);
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    let about = format!("{outage:?}");
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0", "{about}");
    }
    let calls = fleet.sim.record().calls;
    let of_it = calls
        .iter()
        .filter(|call| call.action.starts_with("Kubernetes") && outage.is_of_it(call));
    let made = of_it.count();
    println!(
        "| kubernetes | {:?} | {} min | 2 jobs | {made} calls in it |",
        outage.kind,
        outage.seconds / 60
    );
    assert!(
        (1..=bound(outage.seconds)).contains(&made),
        "{about}: {made}"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_without_the_kubernetes_api_lose_no_change() {
    for outage in of("kubernetes", 6 * HOUR) {
        survive_without_kubernetes(outage).await;
    }
}

/// The worker's own credentials have expired. Told once, as what it is, and nobody's account is parked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_hours_with_expired_credentials_of_its_own_lose_no_change() {
    let fleet = Fleet::with(|options| options.speed = SPEED).await;
    let expired = Fault {
        status: Some(403),
        code: Some("ExpiredToken".to_owned()),
        message: Some("The security token included in the request is expired".to_owned()),
        for_seconds: Some(f64::from(6 * HOUR)),
        ..fault("AssumeRole")
    };
    fleet.sim.add_faults(vec![expired]);
    let jobs = changes(&fleet).await;
    let aws = fleet.aws().await;
    let worker = fleet.worker_on(aws.clone());
    let told = "select count(*) from jobs where message like '%own AWS credentials%expired%'
        and waiting_reason = 'retry' and blocked_by like '%own AWS credentials%'";
    fleet.queue.until(told, |count| count > 0).await;
    let trouble = aws.credentials_trouble().expect("readiness names it");
    assert!(trouble.contains("ExpiredToken"), "{trouble}");
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    all_ended_well(&fleet, &jobs, "expired").await;
    let refused = fleet.calls("AssumeRole", Some(403));
    println!("| worker's credentials | ExpiredToken | 360 min | {refused} calls in it |");
    assert!((1..=bound(6 * HOUR)).contains(&refused), "{refused} calls");
    assert_eq!(aws.credentials_trouble(), None);
    let states: Vec<String> = sqlx::query_scalar("select distinct state from accounts")
        .fetch_all(fleet.queue.pool())
        .await
        .unwrap();
    assert_eq!(states, ["active"]);
    fleet.end().await;
}

/// Names that can't be resolved until a time.
#[derive(Debug, Clone)]
struct NoNames {
    until: Instant,
    asked: Arc<AtomicUsize>,
}

impl ResolveDns for NoNames {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        if Instant::now() < self.until {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let error = format!("no address of {name}: temporary failure in name resolution");
            return DnsFuture::ready(Err(ResolveDnsError::new(error)));
        }
        DnsFuture::ready(Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]))
    }
}

fn client(names: NoNames) -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    Builder::new()
        .tls_provider(provider)
        .build_with_resolver(names)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hours_without_names_lose_no_change() {
    let fleet = Fleet::with(|options| options.speed = SPEED).await;
    let jobs = changes(&fleet).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let names = NoNames {
        until: Instant::now() + Duration::from_hours(2).div_f64(SPEED),
        asked: Arc::clone(&asked),
    };
    let port = fleet.endpoint().rsplit_once(':').unwrap().1.to_owned();
    let aws = AwsOptions {
        endpoint_url: Some(format!("http://aws.test:{port}")),
        http_client: Some(client(names)),
        ..AwsOptions::default()
    };
    let worker = fleet.worker_on(fleet.aws_by(aws).await);
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    all_ended_well(&fleet, &jobs, "no names").await;
    let asked = asked.load(Ordering::Relaxed);
    println!("| all | no DNS | 120 min | {asked} look-ups in it |");
    assert!((1..=bound(2 * HOUR)).contains(&asked), "{asked} look-ups");
    fleet.end().await;
}

/// One cluster's calls fail for hours while all others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_clusters_trouble_is_not_the_accounts() {
    let fleet = Fleet::with(|options| options.speed = SPEED).await;
    let sick = Fault {
        cluster: Some("dev-1".to_owned()),
        status: Some(500),
        for_seconds: Some(f64::from(6 * HOUR)),
        ..fault("DescribeCluster")
    };
    fleet.sim.add_faults(vec![sick]);
    let what = |name| (Some(name), super::support::create_input(Some(name), "x"));
    let kept = fleet
        .submit_to(ACCOUNT, "dev-1", "create_fargate_profile", what("fp-sick"))
        .await;
    let worker = fleet.worker().await;
    let waits = "select count(*) from jobs where waiting_reason = 'retry'";
    fleet.queue.until(waits, |count| count > 0).await;
    let mut others = Vec::new();
    for name in ["fp-1", "fp-2", "fp-3"] {
        others.push(fleet.create(name, name).await);
    }
    let ended = "select count(*) from jobs where state = 'succeeded'";
    fleet.queue.until(ended, |count| count == 3).await;
    let unfinished = "select count(*) from jobs where finished_at is null";
    fleet.queue.until(unfinished, |count| count == 1).await;
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    fleet.assert_state(kept, "succeeded").await;
    for job in others {
        fleet.assert_state(job, "succeeded").await;
    }
    fleet.end().await;
}
