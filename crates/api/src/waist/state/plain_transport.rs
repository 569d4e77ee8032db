//! What is known of a PlainTransport.

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, TransportId};
use crate::types::data_structures::TransportTuple;
use crate::types::srtp_parameters::SrtpParameters;
use crate::waist::Event;

/// A PlainTransport.
#[derive(Clone, PartialEq, Debug)]
pub struct PlainTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// Addresses of RTP; the local one alone while the peer's isn't known.
    pub tuple: TransportTuple,
    /// Addresses of RTCP, where it has a port of its own.
    pub rtcp_tuple: Option<TransportTuple>,
    /// Suite and key of what is sent, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

impl Described for PlainTransportState {
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
        match event {
            Event::TupleChanged { tuple, .. } => self.tuple.clone_from(tuple),
            Event::RtcpTupleChanged { tuple, .. } => self.rtcp_tuple = Some(tuple.clone()),
            Event::PlainTransportConnected { connection, .. } => {
                self.tuple.clone_from(&connection.tuple);
                self.rtcp_tuple.clone_from(&connection.rtcp_tuple);
                self.srtp_parameters.clone_from(&connection.srtp_parameters);
            }
            _ => {}
        }
    }
}
