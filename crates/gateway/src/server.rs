//! HTTP on a listener, over plain TCP or over whatever the caller makes of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router as HttpRouter;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::{Instrument, debug, info_span, warn};

/// Most HTTP connections at a time, WebSockets not counted. Browsers open up to six each for the blink of loading the page.
const CONNECTIONS_MAX: usize = 1024;

/// How long TLS may take to come up, and a request's head to arrive: a slow telephone's time, not an attacker's.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system gives no connection, for example because there are no files left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers each connection of `listener` with `http`, for ever; drop the future to stop.
///
/// `secure` makes the stream that HTTP is spoken on: `|stream| async { Ok(stream) }` for plain HTTP, a TLS acceptor's
/// `accept` for HTTPS.
pub async fn serve<S, F>(listener: TcpListener, http: HttpRouter, secure: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("nobody closes the semaphore");
        match listener.accept().await {
            Ok((stream, address)) => {
                let stream = secure(stream);
                let span = info_span!("connection", %address);
                tokio::spawn(connection(stream, http.clone(), address, permit).instrument(span));
            }
            Err(error) => {
                warn!(%error, "no connection accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<S>(
    stream: impl Future<Output = io::Result<S>>,
    http: HttpRouter,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = match timeout(HANDSHAKE_TIMEOUT, stream).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return debug!(%address, %error, "no secure connection"),
        Err(_) => return debug!(%address, "no secure connection in time"),
    };
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HANDSHAKE_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(http));
    if let Err(error) = connection.with_upgrades().await {
        debug!(%address, %error, "connection ended");
    }
    drop(permit);
}
