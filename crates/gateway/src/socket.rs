//! Drives one WebSocket: reads requests, writes answers and notices, and finds out when nobody is there any more.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tracing::debug;

use crate::gateway::Shared;
use crate::peer::Peer;
use crate::request::BadMessage;
use crate::response::{Response, to_text};
use crate::room::TurnedOut;

/// How often a peer is pinged. Shorter finds dead peers sooner, longer wakes fewer sleeping telephones.
const PING_EVERY: Duration = Duration::from_secs(10);

/// How many pings may stay without any sign of life.
const PINGS_UNANSWERED_MAX: u32 = 2;

/// How long a closing connection waits for the peer's answer.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one message may take to leave. A peer that doesn't read for so long doesn't show anything to anybody.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The peer closed it, or the network did.
    Gone,
    /// The peer doesn't answer pings.
    Silent,
    /// The peer doesn't read what is written to it.
    TooSlow,
    /// A message is longer than [`MESSAGE_BYTES_MAX`](crate::request::MESSAGE_BYTES_MAX) or isn't a WebSocket's, or the
    /// network broke the connection.
    Broken,
    /// The peer came back over another connection.
    Replaced,
    /// The gateway closes.
    Closing,
}

/// Serves a peer until either side has enough. All that the peer has in a room closes with it.
pub(crate) async fn run(mut socket: WebSocket, shared: Arc<Shared>, mut closing: watch::Receiver<bool>) {
    let mut peer = Peer::new(shared);
    let end = tokio::select! {
        end = converse(&mut socket, &mut peer) => end,
        _ = closing.wait_for(|closing| *closing) => End::Closing,
    };
    drop(peer);
    debug!(?end, "socket closed");
    if let Some(frame) = end.to_frame() {
        // The peer may be gone already; then there is nobody to tell.
        let _ = timeout(GOODBYE_TIMEOUT, say_goodbye(&mut socket, frame)).await;
    }
}

/// Tells why, and reads on until the peer has answered (RFC 6455 §7.1.1): closing with something unread would reset the
/// connection, and the peer might never see the reason.
async fn say_goodbye(socket: &mut WebSocket, frame: CloseFrame) {
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

async fn converse(socket: &mut WebSocket, peer: &mut Peer) -> End {
    let mut pings = ticks();
    let mut unanswered = 0;
    loop {
        let outgoing = tokio::select! {
            message = socket.recv() => {
                unanswered = 0;
                match read(message) {
                    Ok(Some(Message::Text(text))) => Message::text(peer.answer(&text).await),
                    Ok(Some(_)) => Message::text(not_text()),
                    Ok(None) => continue,
                    Err(end) => return end,
                }
            }
            notice = peer.next_notice() => match notice {
                Ok(text) => Message::text(text),
                Err(TurnedOut::TooSlow) => return End::TooSlow,
                Err(TurnedOut::Replaced) => return End::Replaced,
            },
            _ = pings.tick() => {
                if unanswered == PINGS_UNANSWERED_MAX {
                    return End::Silent;
                }
                unanswered += 1;
                Message::Ping(axum::body::Bytes::new())
            }
        };
        match timeout(WRITE_TIMEOUT, socket.send(outgoing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::TooSlow,
        }
    }
}

/// The message if it wants an answer. Pings are answered below us.
fn read(message: Option<Result<Message, axum::Error>>) -> Result<Option<Message>, End> {
    match message {
        Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => Ok(Some(message)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_))) | None => Err(End::Gone),
        Some(Err(_)) => Err(End::Broken),
    }
}

fn not_text() -> String {
    let BadMessage { id, failure } = BadMessage::not_text();
    to_text(&Response::new(id, Err(failure)))
}

fn ticks() -> Interval {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

impl End {
    /// What the peer is told, with codes of RFC 6455 §7.4 where one fits; those from 4000 on are ours.
    fn to_frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Silent => (4000, "no answer to pings"),
            Self::TooSlow => (4001, "too slow: messages were not read"),
            Self::Replaced => (4002, "replaced by another connection"),
            Self::Broken => (close_code::PROTOCOL, "message too long or malformed"),
            Self::Closing => (close_code::AWAY, "the server goes away"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}
