//! How a run is told to a person who waits for it.

use std::io::{self, IsTerminal, Write};

use mafalda_load::{Observer, Progress, Step};

/// Progress goes to standard error, when that is a terminal or progress was asked for; steps always do.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    progress: bool,
}

impl Screen {
    /// With progress where somebody looks, or where `always`.
    #[must_use]
    pub fn new(always: bool) -> Self {
        Self { progress: always || io::stderr().is_terminal() }
    }
}

impl Observer for Screen {
    fn on_progress(&mut self, progress: &Progress) {
        if self.progress {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "{progress}");
        }
    }

    fn on_step(&mut self, step: &Step) {
        let _ = writeln!(io::stderr(), "{step}");
    }
}
