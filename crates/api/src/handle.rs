//! What all typed handles are made of: a share in the one hold that this process has on an object.
//!
//! A hold is made with the call that makes its object, or with the first handle given out for an object made elsewhere; all
//! handles of the object share it. When the last goes, an owning hold closes the object; an observing one does nothing.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use event_listener_primitives::HandlerId;

use crate::callbacks::{Notice, Once};
use crate::error::NotificationError;
use crate::id::ObjectId;
use crate::link::Link;
use crate::mirror::{Fixed, Mirrored, Part};
use crate::subscription::Subscription;
use crate::waist::{CloseCause, Event, Ingress};

/// This process's hold on one object.
pub(crate) struct Hold {
    link: Arc<Link>,
    id: ObjectId,
    /// Empty until the object appears.
    entry: OnceLock<Arc<Mirrored>>,
    owns: Mutex<bool>,
}

impl Hold {
    /// Made before the call that makes the object, so that one who gives up that call leaves nothing behind.
    pub(crate) fn owning(link: Arc<Link>, id: ObjectId) -> Arc<Self> {
        Arc::new(Self { link, id, entry: OnceLock::new(), owns: Mutex::new(true) })
    }

    fn observing(link: Arc<Link>, entry: Arc<Mirrored>) -> Arc<Self> {
        Arc::new(Self { link, id: entry.id(), entry: OnceLock::from(entry), owns: Mutex::new(false) })
    }

    pub(crate) fn appeared(&self, entry: Arc<Mirrored>) {
        let first = self.entry.set(entry);
        debug_assert!(first.is_ok(), "an object appears once");
    }

    /// From now on its end does nothing.
    pub(crate) fn let_go(&self) {
        *self.owns.lock().expect("no holder panics") = false;
    }

    fn owns(&self) -> bool {
        *self.owns.lock().expect("no holder panics")
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.owns() {
            return;
        }
        match self.entry.get() {
            Some(entry) => close(&self.link, entry),
            None => self.link.close(self.id),
        }
    }
}

fn close(link: &Link, entry: &Mirrored) {
    if entry.close_here() {
        link.close(entry.id());
        entry.tell_closed();
    }
}

/// A share in a hold whose object has appeared.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Hold>);

impl Handle {
    /// Shares the hold that there is, or observes.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Self {
        Self(entry.hold_or(|| Hold::observing(Arc::clone(link), Arc::clone(entry))))
    }

    /// `None` for an object that has not appeared.
    pub(crate) fn appeared(hold: Arc<Hold>) -> Option<Self> {
        hold.entry.get().is_some().then_some(Self(hold))
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.0.link
    }

    pub(crate) fn entry(&self) -> &Arc<Mirrored> {
        self.0.entry.get().expect("a handle's object has appeared")
    }

    pub(crate) fn fixed(&self) -> &Fixed {
        self.entry().fixed()
    }

    /// Reads the object's state.
    pub(crate) fn with<S: Part, R>(&self, read: impl FnOnce(&S) -> R) -> R {
        self.entry().with(|state| read(S::of(state)))
    }

    pub(crate) fn closed(&self) -> bool {
        self.entry().is_closed()
    }

    pub(crate) fn close(&self) {
        close(self.link(), self.entry());
    }

    pub(crate) fn detach(&self) {
        self.0.let_go();
        if !self.closed() && self.belongs_to_session() {
            self.link().detach(self.0.id);
        }
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.0.owns()
    }

    pub(crate) fn claim(&self) -> bool {
        if !self.closed() && self.belongs_to_session() {
            *self.0.owns.lock().expect("no holder panics") = true;
        }
        self.is_owner()
    }

    pub(crate) fn events(&self) -> Subscription {
        self.entry().subscribers.subscribe()
    }

    pub(crate) fn on_notice(&self, callback: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> HandlerId {
        self.entry().callbacks.add(callback)
    }

    pub(crate) fn on_change(&self, callback: impl Fn(&Event) + Send + Sync + 'static) -> HandlerId {
        self.on_notice(move |notice| {
            if let Notice::Changed(event) = notice {
                callback(event);
            }
        })
    }

    /// For an end that comes from elsewhere, for one of the causes that fit.
    pub(crate) fn on_closing(
        &self,
        fits: fn(&CloseCause) -> bool,
        callback: impl FnOnce() + Send + 'static,
    ) -> HandlerId {
        let callback = Once::new(callback);
        self.on_notice(move |notice| match notice {
            Notice::Closing(cause) if fits(cause) => callback.run(),
            _ => {}
        })
    }

    /// For its end, which may have been already.
    pub(crate) fn on_close(&self, callback: impl FnOnce() + Send + 'static) -> HandlerId {
        let callback = Arc::new(Once::new(callback));
        let registered = Arc::clone(&callback);
        let id = self.on_notice(move |notice| {
            if let Notice::Closed = notice {
                registered.run();
            }
        });
        if self.closed() {
            callback.run();
        }
        id
    }

    /// Hands something to a DirectTransport, which this is the handle of or lives in.
    pub(crate) fn send(&self, transport: &Arc<Mirrored>, ingress: Ingress) -> Result<(), NotificationError> {
        let port = self.link().port(transport).filter(|_| !self.closed());
        Ok(port.ok_or(NotificationError::ChannelClosed)?.try_send(ingress)?)
    }

    pub(crate) fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    fn belongs_to_session(&self) -> bool {
        self.entry().with(|state| state.origin().owner == Some(self.link().session()))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.id)?;
        f.write_str(if self.closed() { " (closed)" } else { "" })
    }
}

/// A handle that keeps nothing.
#[derive(Clone)]
pub(crate) struct WeakHandle(Weak<Hold>);

impl WeakHandle {
    /// Whether a handle is there, for who must not get one: who drops the last closes the object.
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub(crate) fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}

impl fmt::Debug for WeakHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakHandle")
    }
}

/// Whether an object closed because something that it lived in did.
pub(crate) fn by_parent(cause: &CloseCause) -> bool {
    !matches!(
        cause,
        CloseCause::Requested
            | CloseCause::ProducerClosed
            | CloseCause::DataProducerClosed
            | CloseCause::WebRtcServerClosed
    )
}

/// The methods that every kind of handle has, for a struct with the field `handle`, or for whatever has a method `handle()`.
macro_rules! handle_methods {
    ($object:literal, $id:ident, $part:ident) => {
        crate::handle::handle_methods!($object, $id, $part, handle);
    };
    ($object:literal, $id:ident, $part:ident, $($handle:tt)+) => {
        #[doc = concat!("The ", $object, "'s id.")]
        #[must_use]
        pub fn id(&self) -> $id {
            match self.$($handle)+.entry().known_as() {
                crate::id::ObjectId::$part(id) => id,
                _ => unreachable!("a handle's entry is of its kind"),
            }
        }

        #[doc = concat!("What stays with the ", $object, " in this process; empty if it was created elsewhere.")]
        #[must_use]
        pub fn app_data(&self) -> &crate::types::data_structures::AppData {
            &self.$($handle)+.fixed().app_data
        }

        #[doc = concat!("What travels with the ", $object, ".")]
        #[must_use]
        pub fn labels(&self) -> &crate::labels::Labels {
            &self.$($handle)+.fixed().labels
        }

        #[doc = concat!("Whether the ", $object, " is closed.")]
        #[must_use]
        pub fn closed(&self) -> bool {
            self.$($handle)+.closed()
        }

        #[doc = concat!("Closes the ", $object, " and all that lives in it, at once: never blocks, and runs `on_close`.")]
        pub fn close(&self) {
            self.$($handle)+.close();
        }

        #[doc = concat!("Leaves the ", $object, " running, without an owner, when the last handle goes.")]
        pub fn detach(&self) {
            self.$($handle)+.detach();
        }

        #[doc = concat!("Whether the ", $object, " closes when the last handle of this process goes.")]
        #[must_use]
        pub fn is_owner(&self) -> bool {
            self.$($handle)+.is_owner()
        }

        /// Makes this and all other handles of the object in this process its owners, if it belongs to this process's
        /// session. Says whether they are.
        pub fn claim(&self) -> bool {
            self.$($handle)+.claim()
        }

        /// What happens to the object from now on, in order.
        pub fn events(&self) -> crate::subscription::Subscription {
            self.$($handle)+.events()
        }

        #[doc = concat!("Calls back when the ", $object, " closes; at once if it is closed. Where the last handle is dropped or")]
        /// `close` is called, the callback runs right there.
        pub fn on_close<F: FnOnce() + Send + 'static>(
            &self,
            callback: F,
        ) -> event_listener_primitives::HandlerId {
            self.$($handle)+.on_close(callback)
        }
    };
}
pub(crate) use handle_methods;
