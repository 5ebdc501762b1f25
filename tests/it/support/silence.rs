//! A database host that dies without a word: connections stay open and say nothing any more.

use sqlx::postgres::PgConnectOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// Which connections say nothing any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    None,
    /// Those of before; new ones reach a server.
    Old,
    All,
}

/// A way to the database, by its port, whose connections can be made silent.
pub async fn silenceable(url: &str) -> (u16, watch::Sender<Silent>) {
    let options: PgConnectOptions = url.parse().unwrap();
    let (host, to) = (options.get_host().to_owned(), options.get_port());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silence, silent) = watch::channel(Silent::None);
    TaskTracker::new().spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let late = *silent.borrow() == Silent::Old;
            let mut silent = silent.clone();
            let host = host.clone();
            TaskTracker::new().spawn(async move {
                let mut far = TcpStream::connect((host.as_str(), to)).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    () = async { drop(silent.wait_for(|silent| *silent != Silent::None).await) }, if !late => {
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    (port, silence)
}
