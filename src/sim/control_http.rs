//! The controls over HTTP, under `/_sim`. Wrong requests are answered 400 with a sentence.
//!
//! Besides those in the API contract: `POST /reset`; `POST /clock {frozen?, advanceSeconds?}`;
//! `PUT /limits {readsPerSecond?, mutationsPerSecond?, profilesPerCluster?, settleSeconds?,
//! iamPropagationSeconds?}`; `PUT /kubernetes {endpoint?, certificateAuthority?, maxJoiningNodes?}`; `GET /inventory`;
//! `GET /actions`;
//! `GET /accounts/{id}/rights`; `DELETE /sessions`, which ends those given out so far; and under
//! `/accounts/{id}/regions/{region}/clusters/{name}`: `PUT {status?, kubernetesEndpoint?,
//! certificateAuthority?, addons?, nodegroups?, nodes?, maxJoiningNodes?, deletionProtection?}`,
//! `DELETE`, `POST /update {seconds}`, `PUT` and `DELETE /fargate-profiles/{name}`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::control::{AccountSettings, ClusterSettings, ProfileSpec, SimControl};
use super::faults::Fault;
use super::model;
use super::wire::pairs;
use super::world::Shared;

const LARGEST_BODY: usize = 8 * 1024 * 1024;
const CLUSTER: &str = "/accounts/{account}/regions/{region}/clusters/{cluster}";

/// Every route under `/_sim`.
pub(super) fn routes(config: &mut ServiceConfig) {
    let profile = format!("{CLUSTER}/fargate-profiles/{{profile}}");
    let scope = web::scope("/_sim")
        .app_data(PayloadConfig::new(LARGEST_BODY))
        .route("/accounts/{account}", web::put().to(put_account))
        .route("/accounts/{account}/rights", web::get().to(get_rights))
        .route("/faults", web::post().to(post_faults))
        .route("/faults", web::delete().to(delete_faults))
        .route("/record", web::get().to(get_record))
        .route("/reset", web::post().to(post_reset))
        .route("/clock", web::post().to(post_clock))
        .route("/limits", web::put().to(put_limits))
        .route("/sessions", web::delete().to(delete_sessions))
        .route("/kubernetes", web::put().to(put_kubernetes))
        .route("/inventory", web::get().to(get_inventory))
        .route("/actions", web::get().to(get_actions))
        .route(CLUSTER, web::put().to(put_cluster))
        .route(CLUSTER, web::delete().to(delete_cluster))
        .route(&format!("{CLUSTER}/update"), web::post().to(post_update))
        .route(&profile, web::put().to(put_profile))
        .route(&profile, web::delete().to(delete_profile))
        .configure(super::control_iam::routes)
        .configure(super::control_network::routes)
        .default_service(web::to(unknown));
    config.service(scope);
}

/// A refusal: its status and a sentence.
struct Refused(StatusCode, String);

pub(super) type Answer = Result<HttpResponse, Refusal>;
pub(super) type Refusal = actix_web::Error;
type Place = (String, String, String);

impl From<Refused> for Refusal {
    fn from(Refused(status, message): Refused) -> Self {
        let response = HttpResponse::build(status).json(json!({ "message": message }));
        actix_web::error::InternalError::from_response(message, response).into()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockSettings {
    frozen: Option<bool>,
    advance_seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    reads_per_second: Option<u32>,
    mutations_per_second: Option<u32>,
    profiles_per_cluster: Option<usize>,
    settle_seconds: Option<f64>,
    iam_propagation_seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kubernetes {
    endpoint: Option<String>,
    certificate_authority: Option<String>,
    max_joining_nodes: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    seconds: f64,
}

/// `deny_unknown_fields` does not go with `flatten`: the status is taken out first.
#[derive(Deserialize)]
struct Status {
    status: Option<String>,
}

async fn put_account(shared: Data<Shared>, account: Path<String>, body: Bytes) -> Answer {
    let settings: AccountSettings = parse(&body)?;
    let mut world = shared.lock();
    if world.accounts.get(&account).is_none() {
        return Err(missing(&format!("The fleet has no account {account}")));
    }
    world
        .set_account(&account, settings)
        .map_err(|why| wrong(&why))?;
    Ok(done())
}

/// What was asked of the policies that an account's role was given.
async fn get_rights(shared: Data<Shared>, account: Path<String>) -> Answer {
    if shared.lock().accounts.get(&account).is_none() {
        return Err(missing(&format!("The fleet has no account {account}")));
    }
    let checked = SimControl::new(shared.into_inner()).checked_rights(&account);
    Ok(HttpResponse::Ok().json(json!({ "checked": checked })))
}

async fn post_faults(shared: Data<Shared>, body: Bytes) -> Answer {
    let faults: Vec<Fault> = parse(&body)?;
    shared
        .lock()
        .add_faults(faults)
        .map_err(|why| wrong(&why))?;
    Ok(done())
}

async fn delete_faults(shared: Data<Shared>) -> HttpResponse {
    shared.lock().faults.clear();
    done()
}

/// `?after=SEQ` leaves out what came before.
async fn get_record(shared: Data<Shared>, request: HttpRequest) -> Answer {
    let query = pairs(request.query_string());
    let after = match query.iter().find(|(key, _)| key == "after") {
        Some((_, seq)) => seq
            .parse()
            .map_err(|_| wrong("after must be the number of a call"))?,
        None => 0,
    };
    let record = shared.lock().recorder.copy(after);
    Ok(HttpResponse::Ok().json(record))
}

async fn post_reset(shared: Data<Shared>) -> HttpResponse {
    shared.lock().reset();
    done()
}

async fn post_clock(shared: Data<Shared>, body: Bytes) -> Answer {
    let settings: ClockSettings = parse(&body)?;
    let by = settings.advance_seconds.map(seconds).transpose()?;
    let mut world = shared.lock();
    match settings.frozen {
        Some(true) => world.clock.freeze(),
        Some(false) => world.clock.thaw(),
        None => {}
    }
    if let Some(by) = by {
        world.clock.advance(by);
    }
    Ok(HttpResponse::Ok().json(json!({ "frozen": world.clock.is_frozen() })))
}

/// Changes what it names and leaves the rest; a reset undoes it.
async fn put_limits(shared: Data<Shared>, body: Bytes) -> Answer {
    let limits: Limits = parse(&body)?;
    let settle = limits.settle_seconds.map(seconds).transpose()?;
    let propagation = limits.iam_propagation_seconds.map(seconds).transpose()?;
    let mut world = shared.lock();
    let options = &mut world.options;
    options.reads_per_second = limits.reads_per_second.unwrap_or(options.reads_per_second);
    options.mutations_per_second = limits
        .mutations_per_second
        .unwrap_or(options.mutations_per_second);
    options.profiles_per_cluster = limits
        .profiles_per_cluster
        .unwrap_or(options.profiles_per_cluster);
    options.settle_time = settle.unwrap_or(options.settle_time);
    options.iam_propagation = propagation.unwrap_or(options.iam_propagation);
    Ok(done())
}

/// Ends every session given out so far.
async fn delete_sessions(shared: Data<Shared>) -> HttpResponse {
    shared.lock().sessions.expire_all();
    done()
}

/// For the clusters that stacks make from now on; a reset undoes it.
async fn put_kubernetes(shared: Data<Shared>, body: Bytes) -> Answer {
    let new: Kubernetes = parse(&body)?;
    let control = SimControl::new(shared.into_inner());
    control.set_kubernetes(new.endpoint, new.certificate_authority);
    control.limit_joining_nodes(new.max_joining_nodes);
    Ok(done())
}

/// What is served of AWS.
async fn get_actions() -> HttpResponse {
    HttpResponse::Ok().json(model::actions())
}

async fn get_inventory(shared: Data<Shared>) -> HttpResponse {
    let resources = shared.lock().inventory();
    HttpResponse::Ok().json(json!({ "resources": resources }))
}

async fn put_cluster(shared: Data<Shared>, place: Path<Place>, body: Bytes) -> Answer {
    let settings: ClusterSettings = parse(&body)?;
    let (account, region, cluster) = place.into_inner();
    shared
        .lock()
        .set_cluster((&account, &region, &cluster), settings);
    Ok(done())
}

async fn delete_cluster(shared: Data<Shared>, place: Path<Place>) -> Answer {
    let (account, region, cluster) = place.into_inner();
    if shared
        .lock()
        .accounts
        .remove_cluster(&account, &region, &cluster)
    {
        return Ok(done());
    }
    Err(missing(&format!(
        "There is no cluster {cluster} in {account} {region}"
    )))
}

async fn post_update(shared: Data<Shared>, place: Path<Place>, body: Bytes) -> Answer {
    let takes = seconds(parse::<Update>(&body)?.seconds)?;
    let (account, region, cluster) = place.into_inner();
    if shared
        .lock()
        .accounts
        .cluster(&account, &region, &cluster)
        .is_none()
    {
        return Err(missing(&format!(
            "There is no cluster {cluster} in {account} {region}"
        )));
    }
    SimControl::new(shared.into_inner()).start_cluster_update(&account, &region, &cluster, takes);
    Ok(done())
}

async fn put_profile(
    shared: Data<Shared>,
    place: Path<(String, String, String, String)>,
    body: Bytes,
) -> Answer {
    let mut fields: serde_json::Map<String, serde_json::Value> = parse(&body)?;
    let status = fields.remove("status");
    let Status { status } = convert(json!({ "status": status }))?;
    let mut spec: ProfileSpec = convert(fields.into())?;
    let (account, region, cluster, profile) = place.into_inner();
    spec.name = profile;
    let control = SimControl::new(shared.into_inner());
    let status = status.unwrap_or_else(|| "ACTIVE".to_owned());
    control.put_profile(&account, &region, &cluster, spec, &status);
    Ok(done())
}

async fn delete_profile(
    shared: Data<Shared>,
    place: Path<(String, String, String, String)>,
) -> Answer {
    let (account, region, cluster, profile) = place.into_inner();
    if shared
        .lock()
        .vanish_profile((&account, &region, &cluster), &profile)
    {
        return Ok(done());
    }
    Err(missing(&format!(
        "There is no profile {profile} in {account} {region} {cluster}"
    )))
}

async fn unknown(request: HttpRequest) -> Answer {
    Err(missing(&format!(
        "The simulator has no control {} {}; see docs/simulator.md",
        request.method(),
        request.path()
    )))
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| wrong(&format!("The body is wrong: {error}")))
}

fn convert<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|error| wrong(&format!("The body is wrong: {error}")))
}

fn seconds(seconds: f64) -> Result<Duration, Refusal> {
    if (0.0..=1_000_000.0).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(wrong("seconds must lie between 0 and 1000000"))
}

pub(super) fn wrong(message: &str) -> Refusal {
    Refused(StatusCode::BAD_REQUEST, message.to_owned()).into()
}

pub(super) fn missing(message: &str) -> Refusal {
    Refused(StatusCode::NOT_FOUND, message.to_owned()).into()
}

pub(super) fn done() -> HttpResponse {
    HttpResponse::Ok().json(json!({}))
}
