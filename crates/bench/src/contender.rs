//! A process under test, and the few words that are spoken with it.
//!
//! It says `ready PORT PID` when it takes RTP at that port of loopback, answers `count` with the number of packets that it has
//! forwarded, and ends with its input.

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;

use crate::case::Suite;

/// RTP packets are 12 bytes of header and this: VP8 with room for a descriptor and a timestamp.
pub(crate) const PAYLOAD_LEN: usize = 1200;
/// SSRC and payload type of what the source sends.
pub(crate) const SSRC: u32 = 1111;
pub(crate) const PAYLOAD_TYPE: u8 = 96;
/// Master key and salt of both directions, as long as any suite wants; the bench has no secrets.
pub(crate) const KEY: [u8; 30] = [0x41; 30];

/// How a contender is started.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// How many Consumers get each packet
    #[arg(long, default_value_t = 100)]
    pub(crate) consumers: u16,
    /// What protects the packets
    #[arg(long, value_enum, default_value_t = Suite::Gcm)]
    pub(crate) suite: Suite,
    /// Where to send from
    #[arg(long)]
    pub(crate) from: Ipv4Addr,
    /// Where the first Consumer is; the others are behind it, or at the same address with `--one-address`
    #[arg(long)]
    pub(crate) to: Ipv4Addr,
    /// The Consumers' port
    #[arg(long, default_value_t = 5000)]
    pub(crate) port: u16,
    /// All Consumers are at one address
    #[arg(long)]
    pub(crate) one_address: bool,
}

impl Arguments {
    /// Where each Consumer is.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = Ipv4Addr> {
        let first = u32::from(self.to);
        let step = u32::from(!self.one_address);
        (0..u32::from(self.consumers)).map(move |index| Ipv4Addr::from(first + index * step))
    }

    fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!("--consumers={}", self.consumers),
            format!("--suite={}", self.suite),
            format!("--from={}", self.from),
            format!("--to={}", self.to),
            format!("--port={}", self.port),
        ];
        words.extend(self.one_address.then(|| "--one-address".to_owned()));
        words
    }
}

/// A running contender.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Where it takes RTP, on loopback.
    pub(crate) port: u16,
    /// Whose CPU time counts.
    pub(crate) pid: u32,
}

impl Contender {
    /// Starts it on that CPU.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        arguments: &Arguments,
        cpu: usize,
    ) -> Result<Self> {
        command.args(arguments.words()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("can't start {name}"))?;
        crate::cpu::pin(child.id(), cpu)?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("its output is piped")?);
        let pid = child.id();
        let mut contender = Self { name, child, input, output, port: 0, pid };
        let ready = contender.line()?;
        let mut words = ready.split_whitespace();
        let (Some("ready"), Some(port), Some(pid)) = (words.next(), words.next(), words.next()) else {
            bail!("{name} said {ready:?}, not that it is ready");
        };
        (contender.port, contender.pid) = (port.parse()?, pid.parse()?);
        crate::cpu::pin(contender.pid, cpu)?;
        Ok(contender)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(anyhow!("{} has ended: {}", self.name, self.child.wait()?));
        }
        Ok(line)
    }

    /// How many packets it has forwarded so far.
    pub(crate) fn count(&mut self) -> Result<u64> {
        self.input.as_mut().context("it was not told to end")?.write_all(b"count\n")?;
        let line = self.line()?;
        line.trim().parse().with_context(|| format!("{} counts {line:?}", self.name))
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.input = None;
        // It may be busy or hang; it is ours, and nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The contender's own side: says that it is ready, then answers until its input ends.
pub(crate) fn serve(port: u16, mut count: impl FnMut() -> Result<u64>) -> Result<()> {
    say(&format!("ready {port} {}", std::process::id()))?;
    for line in std::io::stdin().lines() {
        match line?.trim() {
            "count" => say(&count()?.to_string())?,
            other => bail!("what does {other:?} mean?"),
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn arguments_come_back_from_their_words() {
        let arguments = Arguments {
            consumers: 3,
            suite: Suite::Cm,
            from: [198, 18, 0, 1].into(),
            to: [198, 18, 0, 255].into(),
            port: 7,
            one_address: false,
        };
        let words = std::iter::once("x".to_owned()).chain(arguments.words());
        let parsed = Line::parse_from(words).arguments;
        let last = parsed.destinations().last();
        assert_eq!(last, Some([198, 18, 1, 1].into()));
        assert_eq!((parsed.suite, parsed.port), (Suite::Cm, 7));
        let one = Arguments { one_address: true, ..arguments };
        assert!(one.destinations().all(|address| address == one.to));
    }
}
