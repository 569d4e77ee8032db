//! The streams that a receiver knows, by SSRC, and what of each was accepted.
//!
//! Nobody without the key can put anything in here: a new SSRC is kept only after its first packet was authenticated. And
//! nothing is ever forgotten: a stream whose highest index were lost could be replayed from its start. So there is no
//! eviction; a full table refuses new SSRCs. What *can* be given up safely is the window: a [retired](StreamTable::retire)
//! stream keeps its highest index alone, so what was accepted stays refused, and so does what is older than that.

use hashbrown::HashMap;

use super::SrtpError;
use super::replay::ReplayWindow;

/// How many streams of one kind of traffic a receiver follows at once.
///
/// The links between machines set it: one Transport carries every stream that goes from one Router to another, with
/// simulcast and RTX six SSRCs for a camera, so this is more than 1000 cameras. A hostile peer that has the key can fill about
/// 1.2 MB per table. It is what a hash table of 8192 slots holds before it grows.
pub const SSRC_MAX: usize = 7168;

/// How many retired streams are remembered.
///
/// A link that lives for weeks sees far more SSRCs come and go than live at once. An entry has 16 bytes, so a full table of
/// this size takes about 1.1 MB; retirement beyond it leaves streams where they are.
pub const RETIRED_MAX: usize = 57_344;

#[derive(Debug, Default)]
pub(super) struct StreamTable {
    live: HashMap<u32, ReplayWindow>,
    /// By SSRC, one more than the highest accepted index.
    retired: HashMap<u32, u64>,
}

impl StreamTable {
    /// Runs `authenticate` on the window of `ssrc`. The window of an unknown SSRC is kept only when that succeeds.
    ///
    /// # Errors
    /// [`SrtpError::SsrcTableFull`], and those of `authenticate`.
    pub(super) fn with_window<T>(
        &mut self,
        ssrc: u32,
        authenticate: impl FnOnce(&mut ReplayWindow) -> Result<T, SrtpError>,
    ) -> Result<T, SrtpError> {
        if let Some(window) = self.live.get_mut(&ssrc) {
            return authenticate(window);
        }
        if self.live.len() >= SSRC_MAX {
            return Err(SrtpError::SsrcTableFull);
        }
        let retired = self.retired.get(&ssrc).copied();
        let mut window = retired.map_or_else(ReplayWindow::new, ReplayWindow::resume);
        let authenticated = authenticate(&mut window)?;
        self.retired.remove(&ssrc);
        self.live.insert(ssrc, window);
        Ok(authenticated)
    }

    /// Gives up the window of a stream but not its highest index. Does nothing for an unknown SSRC, or when
    /// [`RETIRED_MAX`] are retired.
    pub(super) fn retire(&mut self, ssrc: u32) {
        if self.retired.len() >= RETIRED_MAX {
            return;
        }
        if let Some(window) = self.live.remove(&ssrc) {
            self.retired.insert(ssrc, window.next());
        }
    }

    /// How many streams are followed.
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }
}
