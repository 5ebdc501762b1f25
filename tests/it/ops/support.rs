//! A fleet of simulated accounts, a queue, and workers with the real operations.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fargate_fleet::aws::cloudformation::NewStack;
use fargate_fleet::aws::{Access, Aws, AwsOptions, Caller, SessionKey};
use fargate_fleet::domain::cluster::template;
use fargate_fleet::domain::job_input::{CreateProfileInput, DeleteProfileInput, ReadInput};
use fargate_fleet::domain::{
    ClusterName, FargateProfile, ProfileName, ProfileSpec, RoleArn, Selector,
};
use fargate_fleet::ops::Operations;
use fargate_fleet::queue::enqueue::NewJob;
use fargate_fleet::queue::{Submission, Submitted, Worker, WorkerOptions};
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::{self, AccountSettings, Fault, SimControl, SimOptions, Simulator};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::queue::support::{Queue, options};

pub const ACCOUNT: &str = "111111111111";
pub const OTHER_ACCOUNT: &str = "222222222222";
pub const REGION: &str = "eu-central-1";
pub const CLUSTER: &str = "prod-1";
pub const EXTERNAL_ID: &str = "fleet-external-id";
pub const ROLE: &str = "arn:aws:iam::111111111111:role/fargate-pod-execution";
/// The stack of the cluster's pod execution role.
pub const ROLE_STACK: &str = "eksctl-prod-1-fargate";
/// How much faster AWS is here.
pub const SPEED: f64 = 1_000.0;

/// How much sooner the operations lose patience. Less than AWS is faster: this machine is not.
const PATIENCE: f64 = 60.0;

pub struct Fleet {
    /// Divides the times after which operations give up.
    pub patience: f64,
    /// How much faster AWS is than it is.
    pub speed: f64,
    pub queue: Queue,
    simulator: Simulator,
    pub sim: SimControl,
}

impl Fleet {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(adjust: impl FnOnce(&mut SimOptions)) -> Self {
        let mut sim_options = SimOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: SPEED,
            require_external_id: true,
            reads_per_second: 100_000,
            mutations_per_second: 100_000,
            ..SimOptions::default()
        };
        adjust(&mut sim_options);
        let speed = sim_options.speed;
        let simulator = Simulator::start(sim_options).await.expect("the simulator");
        let sim = simulator.control();
        let queue = Queue::new().await;
        queue.add_account(OTHER_ACCOUNT).await;
        sqlx::query(
            "update accounts
            set role_arn = 'arn:aws:iam::' || account_id || ':role/fargate-fleet',
                external_id = $1",
        )
        .bind(EXTERNAL_ID)
        .execute(queue.pool())
        .await
        .unwrap();
        for account in [ACCOUNT, OTHER_ACCOUNT] {
            sim.set_account(account, settings(false));
        }
        Self {
            patience: PATIENCE,
            speed,
            queue,
            simulator,
            sim,
        }
    }

    /// The simulated AWS, as a worker sees it.
    pub async fn aws(&self) -> Aws {
        self.aws_by(AwsOptions::default()).await
    }

    /// The same, reached in another way.
    pub async fn aws_by(&self, options: AwsOptions) -> Aws {
        let endpoint = options.endpoint_url.clone();
        let aws_options = AwsOptions {
            endpoint_url: Some(endpoint.unwrap_or_else(|| self.simulator.endpoint())),
            static_credentials: Some(("test".to_owned(), "test".to_owned())),
            time_scale: self.speed,
            ..options
        };
        Aws::new(aws_options, self.queue.clock.clone(), Rng::seeded(7)).await
    }

    /// AWS as a step of a job of this kind has it.
    pub async fn caller(&self, access: Access, cluster: &str) -> Caller {
        self.aws().await.caller(SessionKey {
            account_id: ACCOUNT.to_owned(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/fargate-fleet"),
            external_id: EXTERNAL_ID.to_owned(),
            region: REGION.to_owned(),
            partition: "aws",
            cluster: cluster.to_owned(),
            access,
            roles: Vec::new(),
            session_name: "by-hand".to_owned(),
            source_identity: "tester".to_owned(),
        })
    }

    /// Where the simulated AWS listens.
    pub fn endpoint(&self) -> String {
        self.simulator.endpoint()
    }

    /// Makes a stack with a pod execution role; the role.
    pub async fn put_role_stack(&self, name: &str) -> String {
        let cluster = ClusterName::parse(CLUSTER).unwrap();
        let stacks = self.caller(Access::CreateCluster, CLUSTER).await;
        let stacks = stacks.cloudformation();
        let new = NewStack {
            name: name.to_owned(),
            template: template::fargate_role(&cluster, None).to_string(),
            tags: BTreeMap::new(),
            makes_roles: true,
            client_request_token: name.to_owned(),
        };
        stacks.create_stack(new).await.unwrap();
        self.sim.advance(Duration::from_mins(10));
        let stack = stacks.stack(name).await.unwrap().unwrap();
        stack.outputs["FargatePodExecutionRoleARN"].clone()
    }

    /// The real operations.
    pub async fn operations(&self) -> Operations {
        Operations::new(self.queue.share(), self.aws().await, self.patience)
    }

    /// A worker with them.
    pub async fn worker(&self) -> Worker {
        self.worker_on(self.aws().await)
    }

    /// A worker that uses these sessions.
    pub fn worker_on(&self, aws: Aws) -> Worker {
        let worker_options = WorkerOptions {
            time_scale: self.speed,
            ..options()
        };
        let operations = Operations::new(self.queue.share(), aws, self.patience);
        self.queue.worker_with(operations, worker_options)
    }

    /// Runs a worker until every job has ended.
    pub async fn run(&self) {
        let worker = self.worker().await;
        self.queue.until_idle().await;
        worker.drain(Duration::from_secs(5)).await.expect("drained");
    }

    /// Ends a test: nothing may be left, and nothing may have overlapped.
    pub async fn end(self) {
        self.queue.database.assert_settled().await;
        let overlaps = self.sim.record().overlaps;
        assert!(
            overlaps.is_empty(),
            "mutations of a cluster overlapped: {overlaps:?}"
        );
        self.simulator.stop().await;
    }

    pub async fn create(&self, name: &str, namespace: &str) -> Uuid {
        self.submit(
            "create_fargate_profile",
            Some(name),
            create_input(Some(name), namespace),
        )
        .await
    }

    pub async fn create_unnamed(&self, namespace: &str) -> Uuid {
        self.submit(
            "create_fargate_profile",
            None,
            create_input(None, namespace),
        )
        .await
    }

    pub async fn delete(&self, name: &str, wait: bool) -> Uuid {
        let input = json!(DeleteProfileInput { wait });
        self.submit("delete_fargate_profile", Some(name), input)
            .await
    }

    pub async fn get(&self, name: &str) -> Uuid {
        self.submit("get_fargate_profile", Some(name), json!(ReadInput {}))
            .await
    }

    pub async fn list(&self) -> Uuid {
        self.submit("list_fargate_profiles", None, json!(ReadInput {}))
            .await
    }

    pub async fn submit(&self, kind: &'static str, profile: Option<&str>, input: Value) -> Uuid {
        self.submit_to(ACCOUNT, CLUSTER, kind, (profile, input))
            .await
    }

    pub async fn submit_to(
        &self,
        account: &str,
        cluster: &str,
        kind: &'static str,
        what: (Option<&str>, Value),
    ) -> Uuid {
        self.submit_as("tester", account, cluster, kind, what).await
    }

    pub async fn submit_as(
        &self,
        caller: &str,
        account: &str,
        cluster: &str,
        kind: &'static str,
        (profile, input): (Option<&str>, Value),
    ) -> Uuid {
        let job_id = self.queue.clock.uuid();
        let mutation = ["create", "delete", "put"];
        let mutation = mutation.iter().any(|verb| kind.starts_with(verb));
        let job = NewJob {
            kind,
            cluster_name: Some(cluster.to_owned()),
            profile_name: profile.map(str::to_owned),
            ..crate::queue::support::new_job(
                job_id,
                mutation.then(|| format!("{REGION}/{cluster}")).as_deref(),
                input,
            )
        };
        let submission = Submission {
            subject_id: job_id,
            requested_by: caller.to_owned(),
            jobs: vec![job],
            ..self.queue.one(account, None, json!({}))
        };
        let submitted = self.queue.enqueuer.submit(submission).await.unwrap();
        assert_eq!(submitted, Submitted::Accepted);
        job_id
    }

    /// Asserts how a job ended; its row's error code otherwise says why not.
    pub async fn assert_state(&self, job: Uuid, state: &str) {
        let found = self.queue.column(job, "state").await;
        let message = self.queue.column(job, "message").await;
        assert_eq!(found, state, "{message}");
    }

    /// Asserts that a job failed, and with what code.
    pub async fn assert_failed(&self, job: Uuid, code: &str) {
        self.assert_state(job, "failed").await;
        let found = self.queue.column(job, "error->>'code'").await;
        let message = self.queue.column(job, "message").await;
        assert_eq!(found, code, "{message}");
    }

    /// The profile in a job's result.
    pub async fn profile_of(&self, job: Uuid) -> FargateProfile {
        let text = self.queue.column(job, "result->'profile'").await;
        serde_json::from_str(&text).expect("a profile in the result")
    }

    /// The status of a profile at the simulated AWS; `None` when it is not there.
    pub fn status(&self, name: &str) -> Option<String> {
        self.sim
            .profile(ACCOUNT, REGION, CLUSTER, name)
            .map(|profile| profile.status)
    }

    /// Puts a profile in place.
    pub fn put(&self, name: &str, namespace: &str, status: &str) {
        let spec = Self::spec(name, namespace);
        self.sim.put_profile(ACCOUNT, REGION, CLUSTER, spec, status);
    }

    /// A profile of the simulator's.
    pub fn spec(name: &str, namespace: &str) -> sim::ProfileSpec {
        sim::ProfileSpec {
            name: name.to_owned(),
            pod_execution_role_arn: ROLE.to_owned(),
            selectors: vec![sim::Selector {
                namespace: namespace.to_owned(),
                labels: BTreeMap::new(),
            }],
            ..sim::ProfileSpec::default()
        }
    }

    /// Waits, for a bounded time, until an action was called once more than `before` times.
    pub async fn until_called(&self, action: &str, before: u32) {
        let wait = async {
            while self.calls(action, None) <= before as usize {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        if waited.is_err() {
            let calls = self.sim.record().calls;
            let dump = self.queue.dump().await;
            panic!("call #{before} of {action} never came; {calls:#?}; {dump}");
        }
    }

    /// The number of calls of an action that were answered with a status.
    pub fn calls(&self, action: &str, status: Option<u16>) -> usize {
        let calls = self.sim.record().calls;
        calls
            .iter()
            .filter(|call| call.action == action)
            .filter(|call| status.is_none() || call.status == status)
            .count()
    }
}

pub fn settings(deny: bool) -> AccountSettings {
    AccountSettings {
        external_id: Some(EXTERNAL_ID.to_owned()),
        deny_assume_role: deny,
        ..AccountSettings::default()
    }
}

pub fn fault(action: &str) -> Fault {
    Fault {
        action: action.to_owned(),
        ..Fault::default()
    }
}

pub fn create_input(name: Option<&str>, namespace: &str) -> Value {
    json!(CreateProfileInput {
        profile: ProfileSpec {
            name: name.map(|name| ProfileName::parse(name).unwrap()),
            selectors: vec![Selector {
                namespace: namespace.to_owned(),
                labels: BTreeMap::new(),
            }],
            ..ProfileSpec::default()
        },
        pod_execution_role_arn: Some(RoleArn::parse(ROLE).unwrap()),
        role_permissions_boundary: None,
        name_generated: name.is_none(),
    })
}

/// A creation that names no role.
pub fn roleless_input(name: &str, namespace: &str) -> Value {
    let mut input = create_input(Some(name), namespace);
    let members = input.as_object_mut().unwrap();
    members.remove("podExecutionRoleArn").unwrap();
    input
}
