//! The way to the primary when its host dies without a word: connections stay open and say nothing
//! any more, and new ones are never answered.

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Passes on what comes, until it is told to be silent.
pub struct Relay {
    pub port: u16,
    silent: CancellationToken,
}

impl Relay {
    /// A way to this port of 127.0.0.1.
    pub async fn to(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let relay = Self {
            port: listener.local_addr()?.port(),
            silent: CancellationToken::new(),
        };
        let (tasks, silent) = (TaskTracker::new(), relay.silent.clone());
        tasks.clone().spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tasks.spawn(pass_on(near, port, silent.clone()));
            }
        });
        Ok(relay)
    }

    /// From now on nothing passes, in no direction.
    pub fn be_silent(&self) {
        self.silent.cancel();
    }
}

async fn pass_on(mut near: TcpStream, port: u16, silent: CancellationToken) {
    let passing = async {
        let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
        tokio::io::copy_bidirectional(&mut near, &mut far).await
    };
    tokio::select! {
        // First, so that the end of the server is not passed on.
        biased;
        () = silent.cancelled() => std::future::pending().await,
        _ = passing => {}
    }
}
