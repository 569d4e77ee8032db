//! Network namespaces to measure in, and the devices in them.
//!
//! They have no name: each lives as long as a process in it, and the first of those ends when its input does. So the kernel
//! removes namespace and devices when the bench ends, whether by itself, by an error or by Ctrl-C.

use std::fs;

use anyhow::{Context, Result, bail};

use super::dialogue::Dialogue;
use super::matrix::Device;
use crate::process::Process;

/// The network for benches (RFC 2544, appendix C.2.2). Subjects have its first address.
const NULL_IP: &str = "198.18.0.1";
/// Where destinations begin that are nowhere.
const NULL_TO: &str = "198.18.1.1";
/// All of them, and the subject.
const NULL_NET: &str = "198.18.0.0/16";
const NULL_DEVICE: &str = "null0";
const VETH_IP: &str = "198.19.0.1";
const VETH_TO: &str = "198.19.0.2";

/// Ports of sinks; each subject has a thousand of its own. Beyond those that subjects, and the kernel for them, choose from.
const SINK_PORT: u16 = 61_000;

/// Files that a program may have open.
const FILES_MAX: &str = "--nofile=16384";

/// A network namespace, held by a process that does nothing.
#[derive(Debug)]
struct Namespace {
    holder: Dialogue,
}

impl Namespace {
    fn new() -> Result<Self> {
        let mut holder = Dialogue::start("a namespace", Process::new("unshare").args(["--net", "cat"]))?;
        // `cat` answers, so the namespace is there.
        holder.say("ready")?;
        holder.hear_line().context("no network namespace: this needs root")?;
        let namespace = Self { holder };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// A program in it.
    fn enter(&self, cpu: usize, program: &str) -> Process {
        let target = self.holder.process_id().to_string();
        let (cpu, words) = (cpu.to_string(), ["--net", "--target"]);
        // More sockets than a shell usually allows: each Transport may have one.
        let process = Process::new("prlimit").args([FILES_MAX, "taskset", "-c", &cpu, "nsenter"]);
        process.args(words).args([&target, program])
    }

    fn ip(&self, words: &str) -> Result<()> {
        self.enter(0, "ip").args(words.split(' ')).output().map(drop)
    }
}

/// A device with all that is needed to send to it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) device: Device,
    near: Namespace,
    /// Where the sink is, if that is elsewhere.
    far: Option<Namespace>,
}

impl Stage {
    pub(super) fn new(device: Device) -> Result<Self> {
        let mut stage = Self { device, near: Namespace::new()?, far: None };
        match device {
            Device::Null => {
                stage.near.ip(&format!("link add {NULL_DEVICE} type ifb"))?;
                stage.near.ip(&format!("link set {NULL_DEVICE} arp off up"))?;
                stage.near.ip(&format!("address add {NULL_IP}/15 dev {NULL_DEVICE}"))?;
            }
            Device::Lo | Device::LoPlain => {}
            Device::Veth => {
                let far = Namespace::new()?;
                let target = far.holder.process_id();
                stage.near.ip(&format!("link add near0 type veth peer name far0 netns {target}"))?;
                // One segment: what is longer is cut by software, in the sender's time.
                stage.near.ip("link set near0 gso_max_segs 1 up")?;
                far.ip("link set far0 up")?;
                stage.near.ip(&format!("address add {VETH_IP}/24 dev near0"))?;
                far.ip(&format!("address add {VETH_TO}/24 dev far0"))?;
                stage.far = Some(far);
            }
        }
        Ok(stage)
    }

    /// The address of subjects.
    pub(super) fn ip(&self) -> &'static str {
        match self.device {
            Device::Null => NULL_IP,
            Device::Lo | Device::LoPlain => "127.0.0.1",
            Device::Veth => VETH_IP,
        }
    }

    /// Where destinations are, and whether they differ by IP or by port.
    pub(super) fn destinations(&self) -> (&'static str, &'static str) {
        match self.device {
            Device::Null => (NULL_TO, "ip"),
            Device::Lo | Device::LoPlain => ("127.0.0.1", "port"),
            Device::Veth => (VETH_TO, "port"),
        }
    }

    /// The first port of the destinations of the subject with that number.
    pub(super) fn port(&self, subject: usize) -> u16 {
        SINK_PORT + 1000 * subject as u16
    }

    /// Makes the addresses of destinations this machine's own for as long as `body` takes, so that clients can be there. Elsewhere than
    /// on the null device they are so anyway.
    pub(super) fn with_clients<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.device.has_sink() {
            return body();
        }
        self.near.ip(&format!("route add local {NULL_NET} dev lo"))?;
        let result = body()?;
        self.near.ip(&format!("route del local {NULL_NET} dev lo"))?;
        Ok(result)
    }

    /// A program beside the subject.
    pub(super) fn near(&self, cpu: usize, program: &str) -> Process {
        self.near.enter(cpu, program)
    }

    /// A program where the destinations are.
    pub(super) fn far(&self, cpu: usize, program: &str) -> Process {
        self.far.as_ref().unwrap_or(&self.near).enter(cpu, program)
    }

    /// What the null device has dropped.
    pub(super) fn dropped(&self) -> Result<Dropped> {
        let path = format!("/proc/{}/net/dev", self.near.holder.process_id());
        Dropped::parse(&fs::read_to_string(path)?)
    }
}

/// What was given to the null device since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dropped {
    bytes: u64,
    /// Of UDP segmentation a message is one.
    messages: u64,
}

/// Ethernet, IPv4 and UDP: what stands in front of each message.
const HEADERS_LEN: u64 = 14 + 20 + 8;

impl Dropped {
    /// Reads the line of the device. An ifb device counts what it is given as received.
    fn parse(text: &str) -> Result<Self> {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(NULL_DEVICE)?.strip_prefix(':'));
        let mut numbers = line.context("no null device")?.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(bytes)), Some(Ok(messages))) => Ok(Self { bytes, messages }),
            _ => bail!("/proc/net/dev has another form"),
        }
    }

    /// How many packets of that length, which may be a mean, all the payload is.
    pub(super) fn packets(self, packet_len: f64) -> u64 {
        let payload = self.bytes.saturating_sub(self.messages * HEADERS_LEN);
        (payload as f64 / packet_len).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   70       1    0    0    0     0          0         0       70       1    0    0    0     0       0          0
 null0: 19690      1    0    1    0     0          0         0        0       0    0    0    0     0       0          0
";

    #[test]
    fn a_message_of_16_packets_is_16_packets() {
        let dropped = Dropped::parse(TEXT).unwrap();
        assert_eq!(dropped, Dropped { bytes: 19_690, messages: 1 });
        assert_eq!(dropped.packets(1228.0), 16);
    }

    #[test]
    fn without_the_device_there_is_no_number() {
        assert!(Dropped::parse("lo: 1 2").is_err());
        assert!(Dropped::parse("null0: x").is_err());
    }
}
