//! What only a WebRtcTransport has: ICE and DTLS, and the sockets that its candidates are made of.

use super::{Endpoints, Handshake, settle};
use crate::ice::IceLite;
use mafalda_api::types::data_structures::{IceParameters, IceState, TransportTuple};

/// A WebRtcTransport's way to its peer.
#[derive(Debug)]
pub(crate) struct WebRtc {
    pub(crate) ice: IceLite,
    /// Apart: of no interest while media flow.
    pub(crate) handshake: Box<Handshake>,
    pub(crate) endpoints: Endpoints,
    /// Whether ICE has lost the way to the peer.
    pub(super) lost: bool,
}

impl WebRtc {
    pub(crate) fn ice_parameters(&self) -> IceParameters {
        let local = self.ice.local();
        IceParameters {
            username_fragment: local.username_fragment.as_str().to_owned(),
            password: local.password.as_str().to_owned(),
            ice_lite: Some(true),
        }
    }

    pub(crate) fn ice_state(&self) -> IceState {
        settle::ice_state(self.ice.state())
    }

    /// The way that media takes, as applications know it.
    pub(crate) fn selected_tuple(&self) -> Option<TransportTuple> {
        self.ice.selected().and_then(|tuple| self.endpoints.describe(tuple))
    }
}
