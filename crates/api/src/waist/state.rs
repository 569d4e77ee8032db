//! What is known of an object at a moment: what snapshots carry, and what handles read.
//!
//! To add a kind of object: write its state in a file of its own, and its row in the table here.

mod consumer;
mod data_consumer;
mod data_producer;
mod direct_transport;
mod pipe_transport;
mod plain_transport;
mod producer;
mod router;
mod rtp_observer;
mod webrtc_server;
mod webrtc_transport;
mod worker;

use std::sync::Arc;

use super::Event;
use crate::id::{ObjectId, SessionId};
use crate::labels::Labels;

pub use consumer::*;
pub use data_consumer::*;
pub use data_producer::*;
pub use direct_transport::*;
pub use pipe_transport::*;
pub use plain_transport::*;
pub use producer::*;
pub use router::*;
pub use rtp_observer::*;
pub use webrtc_server::*;
pub use webrtc_transport::*;
pub use worker::*;

/// Who made an object and what was written on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The session that owns it; `None` once it is detached.
    pub owner: Option<SessionId>,
    /// The application's labels.
    pub labels: Labels,
    /// The tags of the layers in between.
    pub tags: Vec<u8>,
}

/// What the state of any object tells.
trait Described {
    fn id(&self) -> ObjectId;

    /// The object that it lives in and dies with; `None` for a Worker.
    fn parent(&self) -> Option<ObjectId>;

    fn origin(&self) -> &Origin;

    fn origin_mut(&mut self) -> &mut Origin;

    /// The WebRtcServer that it listens on and dies with too.
    fn webrtc_server(&self) -> Option<ObjectId> {
        None
    }

    /// Takes over what an event of this object says.
    fn apply(&mut self, _event: &Event) {}
}

macro_rules! objects {
    ($($(#[$doc:meta])* $kind:ident($state:ident),)+) => {
        /// Any object's state: shared by all who know it, until somebody hears of a change. What is large in it and seldom or
        /// never changes is shared even then.
        #[derive(Clone, PartialEq, Debug)]
        pub enum ObjectState {
            $($(#[$doc])* $kind(Arc<$state>),)+
        }

        impl ObjectState {
            fn described(&self) -> &dyn Described {
                match self {
                    $(Self::$kind(state) => &**state,)+
                }
            }

            fn described_mut(&mut self) -> &mut dyn Described {
                match self {
                    $(Self::$kind(state) => Arc::<$state>::make_mut(state),)+
                }
            }
        }

        $(
            impl From<$state> for ObjectState {
                fn from(state: $state) -> Self {
                    Self::$kind(Arc::new(state))
                }
            }

            impl crate::mirror::Part for $state {
                fn of(state: &ObjectState) -> &Self {
                    match state {
                        ObjectState::$kind(state) => state,
                        _ => unreachable!("an entry's id names its kind"),
                    }
                }
            }
        )+
    };
}

objects! {
    /// A Worker.
    Worker(WorkerState),
    /// A WebRtcServer.
    WebRtcServer(WebRtcServerState),
    /// A Router.
    Router(RouterState),
    /// A WebRtcTransport.
    WebRtcTransport(WebRtcTransportState),
    /// A PlainTransport.
    PlainTransport(PlainTransportState),
    /// A DirectTransport.
    DirectTransport(DirectTransportState),
    /// A PipeTransport.
    PipeTransport(PipeTransportState),
    /// A Producer.
    Producer(ProducerState),
    /// A Consumer.
    Consumer(ConsumerState),
    /// An RtpObserver.
    RtpObserver(RtpObserverState),
    /// A DataProducer.
    DataProducer(DataProducerState),
    /// A DataConsumer.
    DataConsumer(DataConsumerState),
}

impl ObjectState {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        self.described().id()
    }

    /// The object that this one lives in and dies with; `None` for a Worker.
    #[must_use]
    pub fn parent(&self) -> Option<ObjectId> {
        self.described().parent()
    }

    /// The object that this one uses and dies with too, beside its parent.
    #[must_use]
    pub fn webrtc_server(&self) -> Option<ObjectId> {
        self.described().webrtc_server()
    }

    /// Who made it.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.described().origin()
    }

    /// Takes over what an event of this object says. Events of other objects and of its beginning and end do nothing.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Appeared(_) | Event::Closed { .. } => {}
            _ if event.subject() != self.id() => {}
            Event::Detached { .. } => self.described_mut().origin_mut().owner = None,
            _ => self.described_mut().apply(event),
        }
    }
}
