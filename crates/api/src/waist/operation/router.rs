//! Operations on Routers.

use crate::id::{RouterId, WorkerId};
use crate::types::rtp_parameters::RtpCodecCapability;

/// Creates a Router.
#[derive(Clone, Debug)]
pub struct CreateRouter {
    /// Drawn by the caller.
    pub id: RouterId,
    /// Where it shall live.
    pub worker: WorkerId,
    /// The codecs that it shall carry.
    pub media_codecs: Vec<RtpCodecCapability>,
}

/// Gives a Router other codecs, for what is created in it from now on.
#[derive(Clone, Debug)]
pub struct UpdateMediaCodecs {
    /// The Router.
    pub id: RouterId,
    /// The codecs that it shall carry.
    pub media_codecs: Vec<RtpCodecCapability>,
}

/// Tells what a Router holds.
#[derive(Clone, Debug)]
pub struct DumpRouter {
    /// The Router.
    pub id: RouterId,
}
