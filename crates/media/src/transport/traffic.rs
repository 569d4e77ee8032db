//! What went over a Transport, in plain counters and rates.

use crate::Now;
use crate::stream::RateWindow;
use crate::sys;

/// Packets of one kind and direction.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Flow {
    pub(crate) bytes: u64,
    rate: RateWindow,
}

impl Flow {
    fn new() -> Self {
        Self { bytes: 0, rate: RateWindow::new() }
    }

    fn warm(&self) {
        sys::prefetch(&self.bytes);
        self.rate.warm();
    }

    pub(crate) fn count(&mut self, now: Now, bytes: usize) {
        self.bytes += bytes as u64;
        self.rate.record(now, bytes);
    }

    pub(crate) fn bitrate(&self, now: Now) -> u64 {
        self.rate.bitrate(now)
    }
}

/// The same for what many Transports never have: memory for the rate comes with the first packet.
#[derive(Debug, Default)]
pub(crate) struct RareFlow {
    pub(crate) bytes: u64,
    rate: Option<Box<RateWindow>>,
}

impl RareFlow {
    pub(crate) fn count(&mut self, now: Now, bytes: usize) {
        self.bytes += bytes as u64;
        self.rate.get_or_insert_with(|| Box::new(RateWindow::new())).record(now, bytes);
    }

    pub(crate) fn bitrate(&self, now: Now) -> u64 {
        self.rate.as_ref().map_or(0, |rate| rate.bitrate(now))
    }
}

/// All flows of a Transport.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Datagrams of any kind, as they came from the network.
    pub(crate) received: RareFlow,
    /// Datagrams of any kind, as they went out.
    pub(crate) sent: Flow,
    /// Media packets, without SRTP's overhead.
    pub(crate) rtp_received: RareFlow,
    pub(crate) rtp_sent: Flow,
    /// Retransmissions.
    pub(crate) rtx_received: RareFlow,
    pub(crate) rtx_sent: RareFlow,
}

impl Traffic {
    /// Brings near what counting a media packet that is sent needs.
    pub(super) fn warm(&self) {
        self.sent.warm();
        self.rtp_sent.warm();
    }

    pub(crate) fn new() -> Self {
        Self {
            received: RareFlow::default(),
            sent: Flow::new(),
            rtp_received: RareFlow::default(),
            rtp_sent: Flow::new(),
            rtx_received: RareFlow::default(),
            rtx_sent: RareFlow::default(),
        }
    }
}
