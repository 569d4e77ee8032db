//! Children that can't outlive their case, and a folder for what they write.

use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::{Context as _, Result, bail};

/// How long a child may be silent on a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Lines that may wait to be looked at. A child that writes more is held up, not forgotten.
const LINES_MAX: usize = 4096;

/// A program that runs; its lines on standard output come in order. It ends with this value.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    processes: Vec<Process>,
    lines: Receiver<String>,
}

impl Child {
    /// Starts a program, or several, each of which reads what the one before it writes.
    pub(crate) fn start(commands: impl IntoIterator<Item = Command>) -> Result<Self> {
        let (mut processes, mut output, mut name) = (Vec::<Process>::new(), None, String::new());
        for mut command in commands {
            name = command.get_program().to_string_lossy().into_owned();
            command.stdin(output.take().map_or_else(Stdio::null, Stdio::from)).stdout(Stdio::piped());
            let started = command.spawn().with_context(|| format!("can't start {name}"));
            let mut process = started.inspect_err(|_| processes.iter_mut().for_each(end))?;
            output = process.stdout.take();
            processes.push(process);
        }
        let output = output.context("a program is started")?;
        let (send, lines) = sync_channel(LINES_MAX);
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
        });
        Ok(Self { name, processes, lines })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When there is none for a long time.
    pub(crate) fn next_line(&self) -> Result<Option<String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("{} says nothing for {PATIENCE:?}", self.name),
        }
    }

    /// Gives it a moment. It must not end, nor say anything yet.
    pub(crate) fn let_run(&self, moment: Duration) -> Result<()> {
        match self.lines.recv_timeout(moment) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(line) => bail!("{} is early: {line}", self.name),
            Err(RecvTimeoutError::Disconnected) => bail!("{} ended before it began", self.name),
        }
    }

    /// Waits until it has ended, and well.
    pub(crate) fn wait(mut self) -> Result<()> {
        while self.next_line()?.is_some() {}
        for process in &mut self.processes {
            let status = process.wait()?;
            if !status.success() {
                bail!("{} ended with {status}", self.name);
            }
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.processes.iter_mut().for_each(end);
    }
}

fn end(process: &mut Process) {
    // It may have ended by itself; then there is nothing to kill and nothing to tell.
    let _ = process.kill();
    let _ = process.wait();
}

/// A folder that goes with this value.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("mafalda-rtp-tools-{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Deref for Folder {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
