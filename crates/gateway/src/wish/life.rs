//! How long a session lasts: until its Transport is over, or has been without a client for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mafalda_api::consumer::Consumer;
use mafalda_api::transport::Transport;
use mafalda_api::types::data_structures::{DtlsState, IceState};
use mafalda_api::webrtc_transport::WebRtcTransport;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a client may take to connect. Who has to gather candidates behind a slow relay needs some ten seconds; a session
/// that nobody will ever use holds its place for as long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client that has lost its connection may take to restart ICE. It has been gone for the Transport's consent timeout
/// already.
const RESTART_TIMEOUT: Duration = Duration::from_secs(10);

/// What is known of a Transport's life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    ice: IceState,
    dtls: DtlsState,
    /// It is closed, or all that goes out over it is.
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connecting,
    Connected,
    Disconnected,
    Over,
}

/// Why a session ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client didn't connect, or didn't come back.
    Abandoned,
    /// The client closed DTLS, or what it watched or published into is gone.
    Closed,
    /// The gateway closes.
    Closing,
}

impl Life {
    /// Follows a Transport, and what it sends if it is there for that alone.
    pub(super) fn of(transport: &WebRtcTransport, consumers: &[Consumer]) -> watch::Receiver<Self> {
        let life = Self { ice: transport.ice_state(), dtls: transport.dtls_state(), closed: false };
        let (sender, receiver) = watch::channel(life);
        let sender = Arc::new(sender);
        let on_ice = Arc::clone(&sender);
        transport.on_ice_state_change(move |ice| on_ice.send_modify(|life| life.ice = ice)).detach();
        let on_dtls = Arc::clone(&sender);
        transport.on_dtls_state_change(move |dtls| on_dtls.send_modify(|life| life.dtls = dtls)).detach();
        let on_close = Arc::clone(&sender);
        transport.on_close(Box::new(move || on_close.send_modify(|life| life.closed = true))).detach();
        let left = Arc::new(AtomicUsize::new(consumers.len()));
        for consumer in consumers {
            let (left, sender) = (Arc::clone(&left), Arc::clone(&sender));
            let on_close = move || {
                if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                    sender.send_modify(|life| life.closed = true);
                }
            };
            consumer.on_close(on_close).detach();
        }
        receiver
    }

    fn stage(self) -> Stage {
        match (self.ice, self.dtls) {
            _ if self.closed => Stage::Over,
            (_, DtlsState::Failed | DtlsState::Closed) => Stage::Over,
            (IceState::Disconnected, _) => Stage::Disconnected,
            (IceState::Connected | IceState::Completed, DtlsState::Connected) => Stage::Connected,
            _ => Stage::Connecting,
        }
    }
}

/// Waits for the end; `begin` is for when the client is there for the first time.
pub(super) async fn follow(
    mut life: watch::Receiver<Life>,
    mut closing: watch::Receiver<bool>,
    begin: impl Future<Output = ()>,
) -> End {
    let mut deadline = Some(Instant::now() + CONNECT_TIMEOUT);
    let mut begin = Some(begin);
    loop {
        let stage = life.borrow_and_update().stage();
        match stage {
            Stage::Connecting => {}
            Stage::Connected => {
                deadline = None;
                if let Some(begin) = begin.take() {
                    begin.await;
                }
            }
            Stage::Disconnected => deadline = deadline.or(Some(Instant::now() + RESTART_TIMEOUT)),
            Stage::Over => return End::Closed,
        }
        let patience = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = life.changed() => if changed.is_err() { return End::Closed },
            () = patience => return End::Abandoned,
            _ = closing.wait_for(|closing| *closing) => return End::Closing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::advance;

    use super::*;

    const NEW: Life = Life { ice: IceState::New, dtls: DtlsState::New, closed: false };
    const UP: Life = Life { ice: IceState::Completed, dtls: DtlsState::Connected, closed: false };
    const CUT: Life = Life { ice: IceState::Disconnected, ..UP };

    /// Plays a life: each state with the seconds that it lasts. Gives the end, the second it came in, and how often it began.
    async fn play(course: &[(Life, u64)]) -> (Option<End>, u64, u32) {
        let (sender, life) = watch::channel(NEW);
        let (_closing, closed) = watch::channel(false);
        let begun = Cell::new(0);
        let begin = async { begun.set(begun.get() + 1) };
        let mut ended = std::pin::pin!(follow(life, closed, begin));
        let mut second = 0;
        for (state, seconds) in course {
            sender.send_replace(*state);
            for _ in 0..*seconds {
                tokio::select! {
                    biased;
                    end = &mut ended => return (Some(end), second, begun.get()),
                    () = tokio::task::yield_now() => {}
                }
                advance(Duration::from_secs(1)).await;
                second += 1;
            }
        }
        (None, second, begun.get())
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_connect_is_waited_for_and_no_longer() {
        assert_eq!(play(&[(NEW, 40)]).await, (Some(End::Abandoned), 30, 0));
        let half = Life { ice: IceState::Completed, ..NEW };
        assert_eq!(play(&[(NEW, 20), (half, 20)]).await, (Some(End::Abandoned), 30, 0));
        assert_eq!(play(&[(NEW, 29), (UP, 3_600)]).await, (None, 3_629, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_loses_the_connection_may_come_back() {
        assert_eq!(play(&[(UP, 60), (CUT, 9), (UP, 60), (CUT, 9), (UP, 60)]).await, (None, 198, 1));
        assert_eq!(play(&[(UP, 60), (CUT, 11)]).await, (Some(End::Abandoned), 70, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_over() {
        for over in [
            Life { closed: true, ..UP },
            Life { dtls: DtlsState::Closed, ..UP },
            Life { dtls: DtlsState::Failed, ..UP },
        ] {
            assert_eq!(play(&[(UP, 5), (over, 5)]).await, (Some(End::Closed), 5, 1), "{over:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_closes_ends_all() {
        let (_sender, life) = watch::channel(UP);
        let (closing, closed) = watch::channel(false);
        closing.send_replace(true);
        assert_eq!(follow(life, closed, async {}).await, End::Closing);
    }
}
