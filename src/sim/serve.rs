//! One HTTP exchange with a client of AWS: arrival, fault, effect, answer; or no answer.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::dev::Extensions;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

use super::wire::{Answer, Inbound};
use super::world::Shared;

/// Largest body of a request to EKS or STS.
const LARGEST_BODY: usize = 256 * 1024;

/// The socket of a connection, kept so that it can be cut.
#[derive(Clone)]
struct Socket(Arc<TcpStream>);

/// Keeps a handle to the socket of each new connection.
pub(super) fn on_connect(connection: &dyn Any, extensions: &mut Extensions) {
    let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>();
    let Some(Ok(socket)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) else {
        return;
    };
    extensions.insert(Socket(Arc::new(TcpStream::from(socket))));
}

/// Serves everything that is not under `/_sim`.
pub(super) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let body = match payload.to_bytes_limited(LARGEST_BODY).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return HttpResponse::new(StatusCode::BAD_REQUEST),
        Err(_) => return HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE),
    };
    let inbound = Inbound::new(&request, body);
    let arrival = shared.lock().arrive(&inbound);
    pause(arrival.fault.delay_ms).await;
    let answer = apply(&shared, &inbound, &arrival);
    pause(arrival.fault.delay_after_ms).await;
    if arrival.fault.cut {
        cut(&request);
        return HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
    }
    shared.lock().recorder.answered(arrival.seq, answer.status);
    if arrival.fault.truncate {
        truncated(answer)
    } else {
        whole(answer)
    }
}

fn apply(shared: &Shared, inbound: &Inbound, arrival: &super::world::Arrival) -> Answer {
    let mut world = shared.lock();
    let injected = world.injected(arrival);
    injected.unwrap_or_else(|| world.perform(inbound, arrival))
}

async fn pause(milliseconds: Option<u64>) {
    if let Some(milliseconds) = milliseconds.filter(|milliseconds| *milliseconds > 0) {
        actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

/// Closes the connection before anything was answered.
fn cut(request: &HttpRequest) {
    if let Some(Socket(socket)) = request.conn_data::<Socket>() {
        // An error means that the client went away first.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

fn whole(answer: Answer) -> HttpResponse {
    answer.head().body(answer.body)
}

/// Announces the whole body, sends half of it and closes.
fn truncated(answer: Answer) -> HttpResponse {
    let mut head = answer.head();
    let length = answer.body.len() as u64;
    let half = Bytes::from(answer.body).split_to(usize::try_from(length / 2).unwrap_or(0));
    let steps = stream::unfold(Some(half), |half| async {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // Lets what was sent so far go out before the connection ends.
        tokio::task::yield_now().await;
        Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
    });
    head.no_chunking(length)
        .body(SizedStream::new(length, Box::pin(steps)))
}
