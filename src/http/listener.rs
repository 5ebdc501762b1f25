//! Where connections come in: each goes through an [`Edge`] to the server's HTTP/1 half.
//!
//! Done by hand because actix-web's own builder takes no other streams than its own.

use std::fmt;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_http::{HttpService, Request, Response};
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _};
use actix_service::{fn_service, map_config};
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;

use super::connections::Connections;
use super::edge::Edge;
use super::tls::Tls;
use crate::limits::Limits;

/// Connections that the system holds before they are taken.
const BACKLOG: u32 = 1_024;
/// How long the end of a connection may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How to serve.
#[derive(Clone)]
pub(super) struct Listener {
    pub limits: Limits,
    pub connections: Connections,
    pub tls: Option<Tls>,
    /// Threads.
    pub workers: usize,
    /// How long requests under way may take once the server stops.
    pub grace: Duration,
}

impl Listener {
    /// Serves what `factory` makes, on a thread each; tells where.
    pub(super) fn serve<F, I, S, B>(
        self,
        factory: F,
        address: SocketAddr,
    ) -> io::Result<(Server, SocketAddr)>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error> + 'static,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>> + 'static,
        <S::Service as Service<Request>>::Future: 'static,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        let socket = bound(address)?;
        let address = socket.local_addr()?;
        let builder = ServerBuilder::new()
            .workers(self.workers)
            .max_concurrent_connections(self.limits.connections_a_thread(self.workers))
            .shutdown_timeout(self.grace.as_secs().max(1))
            .disable_signals();
        let ending = builder.graceful_shutdown_signal();
        let name = "api";
        let builder = match self.tls.clone() {
            None => builder.listen(name, socket, move || {
                let listener = self.clone();
                fn_service(move |io: TcpStream| {
                    let peer = io.peer_addr().ok();
                    let edge = Edge::new(io, listener.connections.opened(), false);
                    ready(Ok::<_, ()>((edge, peer)))
                })
                .and_then(self.http(&factory, &ending))
            })?,
            Some(tls) => builder.listen(name, socket, move || {
                let listener = self.clone();
                Acceptor::new(tls.config())
                    .map_err(|_| ())
                    .and_then(fn_service(move |io: TlsStream<TcpStream>| {
                        let peer = io.get_ref().0.peer_addr().ok();
                        let edge = Edge::new(io, listener.connections.opened(), true);
                        ready(Ok::<_, ()>((edge, peer)))
                    }))
                    .and_then(self.http(&factory, &ending))
            })?,
        };
        Ok((builder.run(), address))
    }

    fn http<T, F, I, S, B>(
        &self,
        factory: &F,
        ending: &GracefulShutdownSignal,
    ) -> impl ServiceFactory<
        (Edge<T>, Option<SocketAddr>),
        Config = (),
        Response = (),
        Error = (),
        InitError = (),
    > + use<T, F, I, S, B>
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
        F: Fn() -> I,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error> + 'static,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>> + 'static,
        <S::Service as Service<Request>>::Future: 'static,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        let ending = ending.clone();
        let app = factory().into_factory().map_err(|error| {
            let error: Error = error.into();
            let response: Response<BoxBody> = error.error_response().into();
            response
        });
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(self.limits.keep_alive)
            .client_request_timeout(self.limits.head_timeout)
            .client_disconnect_timeout(FAREWELL)
            .on_connect_ext(|edge: &Edge<T>, data| {
                data.insert(edge.connection());
            })
            .h1(map_config(app, |()| AppConfig::default()))
            .map_err(|_| ())
    }
}

fn bound(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
