//! The handle of an ActiveSpeakerObserver.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::ActiveSpeakerObserverDominantSpeaker;
use crate::handle::{Handle, WeakHandle};
use crate::id::ProducerId;
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::producer::Producer;
use crate::router::Router;
use crate::rtp_observer::Kind;
use crate::rtp_observer::handle::producers;
use crate::waist::{Event, ObjectState, RtpObserverKind, RtpObserverState};

/// Tells who of the Producers that were added to it speaks: the dominant one of a conference. It hears what says how loud it is:
/// packets with the header extension of RFC 6464. Clones are the same ActiveSpeakerObserver; it keeps its Router.
#[derive(Clone)]
pub struct ActiveSpeakerObserver {
    handle: Handle,
    router: Router,
}

impl ActiveSpeakerObserver {
    /// `None` for an RtpObserver of another kind.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let is_one = |state: &ObjectState| match state {
            ObjectState::RtpObserver(state) => matches!(state.kind, RtpObserverKind::ActiveSpeaker { .. }),
            _ => false,
        };
        if !entry.with(is_one) {
            return None;
        }
        let router = Router::of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), router))
    }

    pub(crate) fn from_handle(handle: Handle, router: Router) -> Self {
        Self { handle, router }
    }

    /// Who speaks; `None` before the first decision, and where nobody is left. mediasoup has no getter for this: there, who comes late
    /// waits for the next change.
    #[must_use]
    pub fn dominant_speaker(&self) -> Option<Producer> {
        let id = self.handle.with(RtpObserverState::dominant_speaker);
        id.and_then(self.producers())
    }

    /// Calls back when another Producer speaks than before. The first that is added is taken for one that speaks.
    pub fn on_dominant_speaker<F: Fn(&ActiveSpeakerObserverDominantSpeaker) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        let find = self.producers();
        self.handle.on_change(move |event| {
            if let Event::DominantSpeaker { producer, .. } = event
                && let Some(producer) = find(*producer)
            {
                callback(&ActiveSpeakerObserverDominantSpeaker { producer });
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakActiveSpeakerObserver {
        WeakActiveSpeakerObserver(self.handle.downgrade())
    }

    fn producers(&self) -> impl Fn(ProducerId) -> Option<Producer> + Send + Sync + use<> {
        producers(self.handle.link())
    }
}

impl Kind for ActiveSpeakerObserver {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl fmt::Debug for ActiveSpeakerObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// An [`ActiveSpeakerObserver`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakActiveSpeakerObserver(WeakHandle);

impl WeakActiveSpeakerObserver {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<ActiveSpeakerObserver> {
        let handle = self.0.upgrade()?;
        ActiveSpeakerObserver::of(handle.link(), handle.entry())
    }
}
