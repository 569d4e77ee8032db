//! A child process: described, announced, run to its end or in the background.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::report;

/// Variables that `cargo run` sets for this program. Children must not see them: build scripts that watch them (ring's
/// does) would rebuild their crate whenever a plain `cargo` and an xtask take turns.
const CARGO_RUN_VARIABLES: [&str; 4] = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"];

/// A program with its arguments, folder and environment.
#[derive(Debug)]
pub(crate) struct Process {
    command: Command,
}

impl Process {
    /// A process that runs `program` in the current folder and without standard input.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if CARGO_RUN_VARIABLES.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        Self { command }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo() -> Self {
        Self::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs it with its output passed through; anything but success is an error that names the command.
    pub(crate) fn run(mut self) -> Result<()> {
        report::command(&self.line());
        let status = self.command.status().with_context(|| format!("cannot start `{}`", self.line()))?;
        if !status.success() {
            bail!("`{}` ended with {status}", self.line());
        }
        Ok(())
    }

    /// Runs it quietly and returns what it wrote to standard output.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self.command.output().with_context(|| format!("cannot start `{}`", self.line()))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` ended with {}: {}", self.line(), output.status, stderr.trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote no UTF-8", self.line()))
    }

    /// Runs it, shows both streams as they come, and returns standard error and whether it succeeded.
    pub(crate) fn tee_stderr(mut self) -> Result<(String, bool)> {
        report::command(&self.line());
        let mut child = self.command.stderr(Stdio::piped()).spawn();
        let child =
            child.as_mut().map_err(|error| anyhow::anyhow!("cannot start `{}`: {error}", self.line()))?;
        let stderr = child.stderr.take().context("standard error is piped")?;
        let text = report::tee(stderr)?;
        Ok((text, child.wait()?.success()))
    }

    /// Starts it; its standard output is for the caller, its standard error is passed through.
    pub(crate) fn start(mut self) -> Result<Background> {
        report::command(&self.line());
        let child = self.command.stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot start `{}`", self.line()))?;
        Ok(Background { child })
    }

    /// Starts it, unannounced, to be spoken with over its standard input and output.
    pub(crate) fn converse(mut self) -> Result<(Background, ChildStdin, ChildStdout)> {
        let child = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start `{}`", self.line()))?;
        let stdin = child.stdin.take().context("standard input is piped")?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        Ok((Background { child }, stdin, stdout))
    }

    /// Whether it can be started and succeeds; its output is dropped.
    pub(crate) fn succeeds(mut self) -> bool {
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// The command as one would type it.
    fn line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }
}

/// A child that runs beside this program and ends with this value.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
}

impl Background {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it writes to standard output. It is there once.
    pub(crate) fn stdout(&mut self) -> Result<ChildStdout> {
        self.child.stdout.take().context("standard output is piped, and taken once")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill and nothing to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first executable called `program` on the search path.
pub(crate) fn find_program(program: &str) -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
