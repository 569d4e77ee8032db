//! Connections that a WebRtcServer has accepted and that belong to nobody until their first valid ICE check.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::SocketId;

/// How many wait at a time. Each costs a file descriptor of the process, so strangers must not hold more of them; fewer, and a
/// flood of strangers would push out peers within the round trip that their first check takes. One too many takes the place of
/// the oldest.
pub(crate) const WAITING_CONNECTIONS_MAX: usize = 256;

/// How long one waits. A client checks as soon as it is connected and repeats what got lost within seconds; longer would only
/// serve those who hold connections for nothing.
pub(crate) const WAITING_TIME_MAX: Duration = Duration::from_secs(10);

/// A connection of nobody.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    connection: SocketId,
    listener: SocketId,
    until: Instant,
}

/// Those that wait, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom(VecDeque<Waiting>);

impl WaitingRoom {
    /// Takes a connection in; gives the one that has to go for it.
    pub(crate) fn enter(
        &mut self,
        now: Instant,
        connection: SocketId,
        listener: SocketId,
    ) -> Option<SocketId> {
        let full = self.0.len() >= WAITING_CONNECTIONS_MAX;
        let oldest = if full { self.0.pop_front() } else { None };
        self.0.push_back(Waiting { connection, listener, until: now + WAITING_TIME_MAX });
        oldest.map(|waiting| waiting.connection)
    }

    /// Takes a connection out: somebody's now, or over. Gives its listener.
    pub(crate) fn leave(&mut self, connection: SocketId) -> Option<SocketId> {
        let index = self.0.iter().position(|waiting| waiting.connection == connection)?;
        self.0.remove(index).map(|waiting| waiting.listener)
    }

    /// One that has waited long enough; to be called until there is none.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<SocketId> {
        let expired = self.0.front().is_some_and(|waiting| waiting.until <= now);
        if expired { self.0.pop_front().map(|waiting| waiting.connection) } else { None }
    }

    /// When the next one will have.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.0.front().map(|waiting| waiting.until)
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = SocketId> {
        self.0.iter().map(|waiting| waiting.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: SocketId = SocketId(1);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        Instant::now()
    }

    #[test]
    fn no_more_wait_than_may_and_the_oldest_gives_way() {
        let mut room = WaitingRoom::default();
        let now = start();
        let most = WAITING_CONNECTIONS_MAX as u32;
        let gone: Vec<_> =
            (0..most + 2).filter_map(|number| room.enter(now, SocketId(100 + number), LISTENER)).collect();
        assert_eq!(gone, [SocketId(100), SocketId(101)]);
        assert_eq!(room.connections().count(), WAITING_CONNECTIONS_MAX);
    }

    #[test]
    fn who_has_waited_long_enough_goes_and_who_has_left_does_not() {
        let mut room = WaitingRoom::default();
        let now = start();
        for (number, ms) in [(2, 0), (3, 1), (4, 2)] {
            room.enter(now + Duration::from_millis(ms), SocketId(number), LISTENER);
        }
        assert_eq!(room.leave(SocketId(3)), Some(LISTENER));
        assert_eq!(room.leave(SocketId(3)), None);
        let end = now + WAITING_TIME_MAX;
        assert_eq!(room.timeout(), Some(end));
        assert_eq!(room.expire(end - Duration::from_millis(1)), None);
        assert_eq!((room.expire(end), room.expire(end)), (Some(SocketId(2)), None));
        assert_eq!(room.expire(end + Duration::from_millis(2)), Some(SocketId(4)));
        assert_eq!(room.timeout(), None);
    }
}
