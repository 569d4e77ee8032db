//! The handle of an AudioLevelObserver.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::AudioLevelObserverVolume;
use crate::handle::{Handle, WeakHandle};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::Router;
use crate::rtp_observer::Kind;
use crate::rtp_observer::handle::producers;
use crate::waist::{Event, ObjectState, RtpObserverKind, Volume};

/// Tells who of the Producers that were added to it is loud. It hears what says how loud it is: packets with the header
/// extension of RFC 6464. Clones are the same AudioLevelObserver; it keeps its Router.
#[derive(Clone)]
pub struct AudioLevelObserver {
    handle: Handle,
    router: Router,
}

impl AudioLevelObserver {
    /// `None` for an RtpObserver of another kind.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let is_one = |state: &ObjectState| match state {
            ObjectState::RtpObserver(state) => matches!(state.kind, RtpObserverKind::AudioLevel { .. }),
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

    /// Calls back once per interval in which a Producer was loud enough, the loudest first. Those that have closed meanwhile are
    /// left out.
    pub fn on_volumes<F: Fn(&[AudioLevelObserverVolume]) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        let find = producers(self.handle.link());
        self.handle.on_change(move |event| {
            if let Event::Volumes { volumes, .. } = event {
                let of = |it: &Volume| {
                    Some(AudioLevelObserverVolume { producer: find(it.producer)?, volume: it.volume })
                };
                let volumes: Vec<_> = volumes.iter().filter_map(of).collect();
                if !volumes.is_empty() {
                    callback(&volumes);
                }
            }
        })
    }

    /// Calls back when no Producer is loud enough any more.
    pub fn on_silence<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::Silence { .. } = event {
                callback();
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakAudioLevelObserver {
        WeakAudioLevelObserver(self.handle.downgrade())
    }
}

impl Kind for AudioLevelObserver {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl fmt::Debug for AudioLevelObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// An [`AudioLevelObserver`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakAudioLevelObserver(WeakHandle);

impl WeakAudioLevelObserver {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<AudioLevelObserver> {
        let handle = self.0.upgrade()?;
        AudioLevelObserver::of(handle.link(), handle.entry())
    }
}
