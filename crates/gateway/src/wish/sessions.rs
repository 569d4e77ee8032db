//! All sessions, by their addresses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{Instrument, Span, debug, info};

use super::problem::Problem;
use super::session::Session;

/// Most sessions at a time, of both kinds: as many as WebSockets, and for the same reason.
pub(crate) const SESSIONS_MAX: usize = 4096;

/// All sessions of a gateway. An address ends in 122 random bits, so who knows one may use it.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_path: Mutex<HashMap<String, Arc<Session>>>,
    permits: Arc<Semaphore>,
}

impl Sessions {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { by_path: Mutex::default(), permits: Arc::new(Semaphore::new(SESSIONS_MAX)) })
    }

    /// A place for a session.
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map_err(|_| Problem::full("there are too many sessions"))
    }

    /// Keeps a session under its address until it ends.
    pub(super) fn add(
        self: &Arc<Self>,
        path: String,
        session: Session,
        closing: watch::Receiver<bool>,
    ) -> Arc<Session> {
        let session = Arc::new(session);
        self.lock().insert(path.clone(), Arc::clone(&session));
        info!(endpoint = endpoint(&path), "session began");
        let (sessions, running) = (Arc::clone(self), Arc::clone(&session));
        let run = async move {
            let end = running.run(closing).await;
            debug!(endpoint = endpoint(&path), ?end, "session ends by itself");
            sessions.end(&path);
        };
        tokio::spawn(run.instrument(Span::current()));
        session
    }

    pub(super) fn find(&self, path: &str) -> Result<Arc<Session>, Problem> {
        self.lock().get(path).cloned().ok_or_else(Problem::no_session)
    }

    /// Ends a session; false if there is none.
    pub(super) fn end(&self, path: &str) -> bool {
        let Some(session) = self.lock().remove(path) else { return false };
        session.end();
        info!(endpoint = endpoint(path), "session ended");
        true
    }

    /// Waits until all have ended, but not longer than `patience`.
    pub(crate) async fn ended(&self, patience: Duration) {
        let all = u32::try_from(SESSIONS_MAX).expect("a few thousand");
        if tokio::time::timeout(patience, self.permits.acquire_many(all)).await.is_err() {
            debug!(?patience, "some sessions were still open");
        }
    }

    /// A panic while this is locked would leave a map that is still whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address without its secret part, for logs.
fn endpoint(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(endpoint, _)| endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_have_an_end() {
        let sessions = Sessions::new();
        let mut held: Vec<_> = (0..SESSIONS_MAX).map(|_| sessions.permit().unwrap()).collect();
        assert_eq!(sessions.permit().unwrap_err(), Problem::full("there are too many sessions"));
        held.pop();
        assert!(sessions.permit().is_ok());
    }

    #[test]
    fn logs_leave_the_secret_part_of_an_address_out() {
        assert_eq!(endpoint("/whip/plaza/5c0d"), "/whip/plaza");
    }
}
