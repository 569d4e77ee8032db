//! What went over a Transport, in plain counters and rates.

use crate::Now;
use crate::stream::RateWindow;

/// Packets of one kind and direction.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) bytes: u64,
    rate: RateWindow,
}

impl Flow {
    fn new() -> Self {
        Self { bytes: 0, rate: RateWindow::new() }
    }

    pub(crate) fn count(&mut self, now: Now, bytes: usize) {
        self.bytes += bytes as u64;
        self.rate.record(now, bytes);
    }

    pub(crate) fn bitrate(&self, now: Now) -> u64 {
        self.rate.bitrate(now)
    }
}

/// All flows of a Transport.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// Datagrams of any kind, as they came from the network.
    pub(crate) received: Flow,
    /// Datagrams of any kind, as they went out.
    pub(crate) sent: Flow,
    /// Media packets, without SRTP's overhead.
    pub(crate) rtp_received: Flow,
    pub(crate) rtp_sent: Flow,
    /// Retransmissions.
    pub(crate) rtx_received: Flow,
    pub(crate) rtx_sent: Flow,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        Self {
            received: Flow::new(),
            sent: Flow::new(),
            rtp_received: Flow::new(),
            rtp_sent: Flow::new(),
            rtx_received: Flow::new(),
            rtx_sent: Flow::new(),
        }
    }
}
