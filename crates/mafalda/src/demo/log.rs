//! Where log lines go: to standard error, so that the address on standard output stands alone.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use super::Arguments;
use super::arguments::LogFormat;

impl Arguments {
    /// Begins to log.
    ///
    /// # Errors
    /// When the filter makes no sense, or something logs already.
    pub fn start_log(&self) -> Result<()> {
        let filter = EnvFilter::try_new(&self.log).with_context(|| format!("--log {:?}", self.log))?;
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
        let started = match self.log_format {
            LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
            LogFormat::Json => builder.json().try_init(),
        };
        started.map_err(|error| anyhow::anyhow!(error)).context("no log")
    }
}
