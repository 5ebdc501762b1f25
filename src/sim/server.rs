//! Starting and stopping: one thread with a runtime of its own, so that any caller's will do.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use tokio::sync::oneshot;

use super::control::SimControl;
use super::control_http;
use super::options::SimOptions;
use super::serve;
use super::world::Shared;

/// Longer than any client keeps an idle connection, so that none is closed under a request.
const KEEP_ALIVE: Duration = Duration::from_mins(10);

/// A simulated AWS that is being served. Dropping it stops it as well.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    ended: Option<oneshot::Receiver<()>>,
}

impl Simulator {
    /// Binds the address (port 0 picks a free one) and serves until it is stopped.
    pub async fn start(options: SimOptions) -> io::Result<Self> {
        options.check()?;
        let listener = TcpListener::bind(options.listen)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        shared.lock().listens_at(address);
        let (started, handle) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let world = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("simulated-aws".to_owned())
            .spawn(move || {
                System::new().block_on(async move {
                    match server(listener, world) {
                        Ok(server) => {
                            // Nobody listens any more when the start was given up.
                            let _ = started.send(Ok(server.handle()));
                            if let Err(error) = server.await {
                                tracing::error!(%error, "the simulated AWS ended");
                            }
                        }
                        Err(error) => {
                            let _ = started.send(Err(error));
                        }
                    }
                });
                let _ = end.send(());
            })?;
        let handle = handle.await.map_err(io::Error::other)??;
        Ok(Self {
            address,
            shared,
            handle,
            thread: Some(thread),
            ended: Some(ended),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The in-process twin of `/_sim`.
    #[must_use]
    pub fn control(&self) -> SimControl {
        SimControl::new(Arc::clone(&self.shared))
    }

    /// Closes every connection and waits until the thread has ended.
    pub async fn stop(mut self) {
        self.handle.stop(false).await;
        if let Some(ended) = self.ended.take() {
            // An error means that the thread has ended too.
            let _ = ended.await;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The order is sent at once; what is dropped here is only the waiting for it.
        drop(self.handle.stop(false));
    }
}

fn server(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Server> {
    let shared = web::Data::from(shared);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .configure(control_http::routes)
            .default_service(web::to(serve::serve))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .keep_alive(KEEP_ALIVE)
        .on_connect(serve::on_connect)
        .listen(listener)?;
    Ok(server.run())
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
