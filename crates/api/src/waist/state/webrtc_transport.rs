//! What is known of a WebRtcTransport.

use std::sync::Arc;

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, TransportId, WebRtcServerId};
use crate::types::data_structures::{
    DtlsParameters, DtlsState, IceCandidate, IceParameters, IceRole, IceState, TransportTuple,
};
use crate::waist::Event;

/// A WebRtcTransport.
#[derive(Clone, PartialEq, Debug)]
pub struct WebRtcTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// The WebRtcServer that it listens on; `None`: it has sockets of its own.
    pub webrtc_server: Option<WebRtcServerId>,
    /// Always controlled: we are ICE-lite (RFC 8445 §2.5).
    pub ice_role: IceRole,
    /// Local ICE credentials.
    pub ice_parameters: Arc<IceParameters>,
    /// Local candidates.
    pub ice_candidates: Arc<[IceCandidate]>,
    /// Where ICE stands.
    pub ice_state: IceState,
    /// The pair of addresses that media goes over.
    pub ice_selected_tuple: Option<TransportTuple>,
    /// Local DTLS role and fingerprints.
    pub dtls_parameters: Arc<DtlsParameters>,
    /// Where DTLS stands.
    pub dtls_state: DtlsState,
    /// The peer's certificate in PEM, once connected.
    pub dtls_remote_cert: Option<Arc<str>>,
}

impl Described for WebRtcTransportState {
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

    fn webrtc_server(&self) -> Option<ObjectId> {
        self.webrtc_server.map(Into::into)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::IceStateChanged { state, .. } => self.ice_state = *state,
            Event::IceSelectedTupleChanged { tuple, .. } => self.ice_selected_tuple.clone_from(tuple),
            Event::IceParametersChanged { parameters, .. } => self.ice_parameters.clone_from(parameters),
            Event::DtlsParametersChanged { parameters, .. } => self.dtls_parameters.clone_from(parameters),
            Event::DtlsStateChanged { state, remote_cert, .. } => {
                self.dtls_state = *state;
                self.dtls_remote_cert.clone_from(remote_cert);
            }
            _ => {}
        }
    }
}
