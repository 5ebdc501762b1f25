//! `/livez` and `/readyz` of a worker that runs without the API: the only port it opens.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::readiness::Readiness;
use crate::database::Share;

struct State {
    readiness: Readiness,
    unready: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

/// A running listener.
pub struct WorkerHealth {
    handle: ServerHandle,
    tasks: TaskTracker,
}

impl WorkerHealth {
    /// Starts answering. `unready` says why the worker can't work, if it can't.
    #[expect(
        clippy::unused_async,
        reason = "called inside the runtime that the pool belongs to"
    )]
    pub async fn start(
        share: Share,
        unready: impl Fn() -> Option<String> + Send + Sync + 'static,
        address: SocketAddr,
    ) -> io::Result<Self> {
        let state = Data::new(State {
            readiness: Readiness::new(share, Handle::current()),
            unready: Box::new(unready),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/livez", web::get().to(livez))
                .route("/readyz", web::get().to(readyz))
        })
        .disable_signals()
        .workers(1)
        .bind(address)?
        .run();
        let (handle, tasks) = (server.handle(), TaskTracker::new());
        tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "answering for the worker's health");
            }
        });
        Ok(Self { handle, tasks })
    }

    /// Stops answering.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

async fn readyz(state: Data<State>) -> HttpResponse {
    let answers = state.readiness.answers().await;
    let why = (state.unready)().or_else(|| (!answers).then(no_database));
    match why {
        None => livez().await,
        Some(why) => HttpResponse::ServiceUnavailable()
            .json(serde_json::json!({ "status": "not ready", "reason": why })),
    }
}

fn no_database() -> String {
    "The database did not answer within a second.".to_owned()
}
