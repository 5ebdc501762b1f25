//! AWS in a test's hand: real HTTP, and answers one after another. `AssumeRole` answers by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use fargate_fleet::aws::{Access, Aws, AwsOptions, Caller, SessionKey};
use fargate_fleet::clock::Clock;
use fargate_fleet::rng::Rng;
use tokio_util::task::TaskTracker;

pub const ACCOUNT: &str = "111111111111";
pub const REGION: &str = "eu-central-1";
pub const CLUSTER: &str = "prod-1";

const SESSION: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
    <SessionToken>token+/=</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// A call as it came in.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: String,
    pub authorization: String,
    pub session_token: String,
}

impl Call {
    /// A parameter of the query protocol.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.body.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    calls: Mutex<Vec<Call>>,
}

/// The server; it stops when it is dropped.
pub struct Scripted {
    script: Arc<Script>,
    endpoint: String,
    server: ServerHandle,
}

impl Scripted {
    /// Answers these, one after another, each a status and a body.
    pub fn new(answers: &[(u16, &str)]) -> Self {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()));
        let script = Arc::new(Script {
            answers: Mutex::new(answers.collect()),
            ..Script::default()
        });
        let shared = Data::from(Arc::clone(&script));
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .default_service(web::to(answer))
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        let server = server.bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        TaskTracker::new().spawn(server);
        Self {
            script,
            endpoint,
            server: handle,
        }
    }

    /// One step of a job.
    pub async fn caller(&self) -> Caller {
        let options = AwsOptions {
            endpoint_url: Some(self.endpoint.clone()),
            static_credentials: Some(("test".to_owned(), "test".to_owned())),
            time_scale: 1_000.0,
            ..AwsOptions::default()
        };
        let aws = Aws::new(options, Clock::system(), Rng::seeded(7)).await;
        assert!(aws.is_simulated());
        aws.caller(SessionKey {
            account_id: ACCOUNT.to_owned(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/fleet"),
            external_id: "external".to_owned(),
            region: REGION.to_owned(),
            partition: "aws",
            cluster: CLUSTER.to_owned(),
            access: Access::CreateCluster,
            roles: Vec::new(),
            session_name: "job-1".to_owned(),
            source_identity: "tester".to_owned(),
        })
    }

    /// The calls so far, but for `AssumeRole`. Every answer must have been asked for.
    pub fn calls(&self) -> Vec<Call> {
        let left = self.script.answers.lock().unwrap().len();
        assert_eq!(left, 0, "answers that nobody asked for");
        self.script.calls.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn answer(script: Data<Script>, request: HttpRequest, body: String) -> HttpResponse {
    if body.contains("Action=AssumeRole") {
        return HttpResponse::Ok().content_type("text/xml").body(SESSION);
    }
    let header = |name: &str| {
        let value = request.headers().get(name);
        let text = value.and_then(|value| value.to_str().ok());
        text.unwrap_or_default().to_owned()
    };
    script.calls.lock().unwrap().push(Call {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        authorization: header("authorization"),
        session_token: header("x-amz-security-token"),
        body,
    });
    let next = script.answers.lock().unwrap().pop_front();
    let (status, body) = next.unwrap_or_else(|| (500, "not in the script".to_owned()));
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).body(body)
}
