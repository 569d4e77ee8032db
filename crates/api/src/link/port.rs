//! The way of packets between handles and a DirectTransport, beside calls and events.
//!
//! It is opened with the first handle of the Transport. What comes out waits in the backend, bounded; when something is there, the
//! Transport joins the queue of callbacks, once.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::queue::{Item, Queue};
use crate::mirror::Mirrored;
use crate::waist::{Egress, Ingress, MediaError, MediaPort};

/// The way to and from one DirectTransport.
pub(crate) struct Port {
    media: Arc<dyn MediaPort>,
    waker: Waker,
}

/// Something has come out of a Transport.
struct Knock {
    queue: Arc<Queue>,
    transport: Weak<Mirrored>,
}

impl Port {
    pub(super) fn new(media: Arc<dyn MediaPort>, queue: Arc<Queue>, transport: &Arc<Mirrored>) -> Self {
        let knock = Knock { queue, transport: Arc::downgrade(transport) };
        Self { media, waker: Waker::from(Arc::new(knock)) }
    }

    pub(crate) fn try_send(&self, ingress: Ingress) -> Result<(), MediaError> {
        self.media.try_send(ingress)
    }

    /// The next of what has come out; when there is none, the Transport joins the queue as soon as there is.
    pub(super) fn next(&self) -> Option<Egress> {
        match self.media.poll_receive(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(next) => next,
            Poll::Pending => None,
        }
    }

    /// The Transport is to be looked at.
    pub(super) fn knock(&self) {
        self.waker.wake_by_ref();
    }
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        if let Some(transport) = self.transport.upgrade() {
            self.queue.push(Item::Media(transport));
        }
    }
}
