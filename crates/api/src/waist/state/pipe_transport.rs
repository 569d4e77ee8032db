//! What is known of a PipeTransport.

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, TransportId};
use crate::types::data_structures::TransportTuple;
use crate::types::srtp_parameters::SrtpParameters;
use crate::waist::Event;

/// A PipeTransport.
#[derive(Clone, PartialEq, Debug)]
pub struct PipeTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// Its addresses; the local one alone before `connect`.
    pub tuple: TransportTuple,
    /// Suite and key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

impl Described for PipeTransportState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        Some(self.router.into())
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn apply(&mut self, event: &Event) {
        if let Event::TupleChanged { tuple, .. } = event {
            self.tuple.clone_from(tuple);
        }
    }
}
