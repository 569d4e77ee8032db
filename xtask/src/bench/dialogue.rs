//! A process of the bench that is spoken with: a line out, a line of JSON back.
//!
//! It ends when its input does, so nothing that the bench started outlives it, however it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

use crate::process::{Background, Process};

#[derive(Debug)]
pub(super) struct Dialogue {
    name: &'static str,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    process: Background,
}

impl Dialogue {
    pub(super) fn start(name: &'static str, process: Process) -> Result<Self> {
        let (process, input, output) = process.converse()?;
        Ok(Self { name, input, output: BufReader::new(output), process })
    }

    pub(super) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Says a line, whose answer [`Dialogue::hear`] gives.
    pub(super) fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").with_context(|| format!("{} has gone", self.name))
    }

    /// Waits for the next line.
    pub(super) fn hear_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let len = self.output.read_line(&mut line)?;
        ensure!(len > 0, "{} ended by itself", self.name);
        Ok(line)
    }

    /// Waits for the next answer.
    pub(super) fn hear<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.hear_line()?;
        serde_json::from_str(&line).with_context(|| format!("{} said: {}", self.name, line.trim()))
    }

    pub(super) fn ask<T: DeserializeOwned>(&mut self, line: &str) -> Result<T> {
        self.say(line)?;
        self.hear()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_answered() {
        let mut echo = Dialogue::start("cat", Process::new("cat")).unwrap();
        assert_eq!(echo.ask::<Vec<u32>>("[1, 2]").unwrap(), [1, 2]);
        let error = echo.ask::<Vec<u32>>("nonsense").unwrap_err();
        assert!(error.to_string().contains("nonsense"));
    }

    #[test]
    fn an_end_is_an_error() {
        let mut short = Dialogue::start("true", Process::new("true")).unwrap();
        assert!(short.hear_line().is_err());
    }
}
