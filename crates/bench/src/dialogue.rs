//! How the bench speaks with these processes: commands are lines on standard input, each is answered by one line of JSON. The end
//! of the input ends the process, so that none outlives the bench.

use std::io::{Write as _, stdin, stdout};
use std::os::fd::{AsFd as _, BorrowedFd};

use anyhow::{Result, ensure};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use serde::{Deserialize, Serialize};

/// The longest command: a key or an endpoint, some hundred characters, for each of a thousand destinations.
const COMMAND_LEN_MAX: usize = 1 << 18;

/// Standard input, taken apart into lines.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    pending: Vec<u8>,
}

impl Commands {
    /// Reads what waits, and if nothing does waits for it; gives the lines that are complete now, `None` at the end.
    pub(crate) fn read(&mut self) -> Result<Option<Vec<String>>> {
        let mut chunk = [0; 4096];
        // Not by Rust's standard input, whose buffer would keep what `wait` then doesn't see.
        let len = read(stdin(), &mut chunk)?;
        if len == 0 {
            return Ok(None);
        }
        self.take(&chunk[..len]).map(Some)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Vec<String>> {
        self.pending.extend_from_slice(bytes);
        let end = self.pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole = String::from_utf8(self.pending.drain(..end).collect())?;
        ensure!(self.pending.len() <= COMMAND_LEN_MAX, "a command of more than {COMMAND_LEN_MAX} bytes");
        Ok(whole.lines().map(|line| line.trim().to_owned()).collect())
    }
}

/// What can be read now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// The socket has datagrams.
    pub(crate) socket: bool,
    /// Standard input has a command, or is at its end.
    pub(crate) commands: bool,
}

/// Waits for datagrams at the socket, if there is one, or for a command.
pub(crate) fn wait(socket: Option<BorrowedFd<'_>>, timeout: PollTimeout) -> Result<Ready> {
    let input = stdin();
    let commands = PollFd::new(input.as_fd(), PollFlags::POLLIN);
    // Without a socket the other place watches the input for nothing.
    let other = socket.map_or_else(
        || PollFd::new(input.as_fd(), PollFlags::empty()),
        |socket| PollFd::new(socket, PollFlags::POLLIN),
    );
    let mut watched = [commands, other];
    match poll(&mut watched, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let is_ready = |watched: &PollFd<'_>| watched.any().unwrap_or(true);
    let [commands, other] = watched;
    Ok(Ready { commands: is_ready(&commands), socket: socket.is_some() && is_ready(&other) })
}

/// Says one line of JSON.
#[expect(clippy::print_stdout, reason = "the answers of this process")]
pub(crate) fn say(answer: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(stdout().flush()?)
}

/// The first thing that a subject says: it can be sent to now.
#[derive(Debug, Serialize)]
pub(crate) struct SubjectReady {
    /// Where it takes the packets of each publisher.
    pub(crate) ports: Vec<u16>,
    /// The process that forwards.
    pub(crate) process: u32,
    /// The thread of it that does.
    pub(crate) thread: i32,
    /// The key of what each destination gets, in Base64; empty without SRTP, and where a handshake is to agree on it.
    pub(crate) keys: Vec<String>,
    /// Where each destination has to connect to; empty where nothing is to be agreed on.
    pub(crate) endpoints: Vec<Endpoint>,
}

/// One of a subject's ends of ICE and DTLS.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// Its UDP port.
    pub(crate) port: u16,
    /// ICE's username fragment and password.
    pub(crate) username: String,
    pub(crate) password: String,
}

/// What a subject says that it has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct SubjectCount {
    /// RTP packets.
    pub(crate) packets: u64,
    /// Packets that it could not send.
    pub(crate) refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let mut commands = Commands::default();
        assert!(commands.take(b"cou").unwrap().is_empty());
        assert_eq!(commands.take(b"nt\nrun 1 2\r\nre").unwrap(), ["count", "run 1 2"]);
        assert_eq!(commands.take(b"set\n").unwrap(), ["reset"]);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut commands = Commands::default();
        assert!(commands.take(&vec![b'x'; COMMAND_LEN_MAX]).is_ok());
        assert!(commands.take(b"x").is_err());
    }
}
