//! Clients of WebRtcTransports, as far as they are needed to get keys: ICE's check, DTLS's handshake, and they are gone.
//!
//! What a subject then sends goes to where they were: to a sink at the same ports, or to a device that drops it.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use mafalda_media::Now;
use mafalda_media::dtls::{Certificate, Dtls, DtlsOutput, FingerprintAlgorithm, KeyingMaterial, Role};
use mafalda_media::stun::{AttributeType, BINDING, Class, Message, TransactionId, Writer};

use crate::addressing::Destinations;
use crate::clock;
use crate::dialogue::{self, Commands, Endpoint};

/// How long an answer may take before the request is repeated, and how often it is.
const PATIENCE: Duration = Duration::from_millis(500);
const TRIES_MAX: u32 = 10;

/// The longest datagram of a handshake.
const DATAGRAM_LEN_MAX: usize = 2048;

/// The client's half of the username; nobody looks at it.
const OWN_USERNAME: &str = "bench";

/// ICE and DTLS with a subject's WebRtcTransports. Each line `connect [ENDPOINT,…]` takes the next destinations
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The subject's address
    #[arg(long, value_name = "IP")]
    server: Ipv4Addr,
    /// How many connect at any time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    at_once: u16,
    #[command(flatten)]
    destinations: Destinations,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let certificate = Certificate::generate()?;
    let fingerprint = certificate.fingerprint(FingerprintAlgorithm::Sha256);
    let digest: Vec<String> = fingerprint.digest().iter().map(|byte| format!("{byte:02X}")).collect();
    dialogue::say(&serde_json::json!({ "fingerprint": digest.join(":") }))?;
    let mut commands = Commands::default();
    let mut addresses = options.destinations.addresses()?.into_iter();
    while let Some(lines) = commands.read()? {
        for line in lines {
            let endpoints = line.strip_prefix("connect ").with_context(|| format!("no command: {line}"))?;
            let endpoints: Vec<Endpoint> = serde_json::from_str(endpoints)?;
            let keys = connect_all(options, &certificate, &mut addresses, &endpoints)?;
            let (keys, own_keys): (Vec<_>, Vec<_>) = keys.into_iter().map(<(String, String)>::from).unzip();
            dialogue::say(&serde_json::json!({ "keys": keys, "own_keys": own_keys }))?;
        }
    }
    Ok(())
}

/// The key of what each subject's end will send, and of what the client may. Each client has an address of its own.
fn connect_all(
    options: &Options,
    certificate: &Certificate,
    addresses: &mut impl ExactSizeIterator<Item = SocketAddrV4>,
    endpoints: &[Endpoint],
) -> Result<Vec<[String; 2]>> {
    ensure!(addresses.len() >= endpoints.len(), "{} endpoints for {}", endpoints.len(), addresses.len());
    let connect = |(endpoint, address): &(&Endpoint, SocketAddrV4)| {
        let address = *address;
        let client = Client::new(options.server, address, endpoint)?;
        client.check().with_context(|| format!("ICE of {address}"))?;
        let keying = client.shake_hands(certificate).with_context(|| format!("DTLS of {address}"))?;
        let keys = [(keying.remote_key(), keying.remote_salt()), (keying.local_key(), keying.local_salt())];
        Ok(keys.map(|(key, salt)| BASE64.encode([key, salt].concat())))
    };
    let clients: Vec<_> = endpoints.iter().zip(addresses).collect();
    let share_len = clients.len().div_ceil(options.at_once.into()).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .chunks(share_len)
            .map(|clients| scope.spawn(|| clients.iter().map(connect).collect::<Result<Vec<[String; 2]>>>()))
            .collect();
        let keys = threads.into_iter().map(|thread| thread.join().expect("a client doesn't panic"));
        Ok(keys.collect::<Result<Vec<_>>>()?.concat())
    })
}

#[derive(Debug)]
struct Client<'a> {
    socket: UdpSocket,
    endpoint: &'a Endpoint,
}

impl<'a> Client<'a> {
    fn new(server: Ipv4Addr, own: SocketAddrV4, endpoint: &'a Endpoint) -> Result<Self> {
        let socket = UdpSocket::bind(own).with_context(|| format!("can't be at {own}"))?;
        socket.connect((server, endpoint.port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, endpoint })
    }

    /// One check that nominates (RFC 8445 §7.2.2, §8.1.1): the subject is ICE-lite and takes the pair at once.
    fn check(&self) -> Result<()> {
        let mut request = [0; 256];
        let mut writer = Writer::new(Class::Request, BINDING, TransactionId([7; 12]), &mut request)?;
        let username = format!("{}:{OWN_USERNAME}", self.endpoint.username);
        writer.attribute(AttributeType::USERNAME, username.as_bytes())?;
        writer.attribute(AttributeType::PRIORITY, &1_u32.to_be_bytes())?;
        writer.attribute(AttributeType::ICE_CONTROLLING, &1_u64.to_be_bytes())?;
        writer.attribute(AttributeType::USE_CANDIDATE, &[])?;
        let len = writer.finish(Some(self.endpoint.password.as_bytes()))?;
        let mut answer = [0; DATAGRAM_LEN_MAX];
        for _ in 0..TRIES_MAX {
            self.socket.send(&request[..len])?;
            let Some(len) = self.receive(&mut answer)? else { continue };
            match Message::parse(&answer[..len]).map(|message| message.class()) {
                Ok(Class::Success) => return Ok(()),
                Ok(Class::Error) => bail!("the check was refused"),
                // Something else that came first.
                _ => {}
            }
        }
        bail!("no answer")
    }

    fn shake_hands(&self, certificate: &Certificate) -> Result<KeyingMaterial> {
        let mut dtls = Dtls::new(certificate, Role::Client, now()?);
        let mut datagram = [0; DATAGRAM_LEN_MAX];
        for _ in 0..100 * TRIES_MAX {
            while let Some(output) = dtls.poll(&mut datagram) {
                match output {
                    DtlsOutput::Packet(len) => {
                        self.socket.send(&datagram[..len])?;
                    }
                    // Whose certificate it is doesn't matter: the network is the bench's own.
                    DtlsOutput::Connected(connected) => return Ok(connected.keying),
                    DtlsOutput::Failed(failure) => return Err(failure.into()),
                    DtlsOutput::Closed => bail!("closed"),
                    DtlsOutput::ApplicationData(_) => {}
                }
            }
            match self.receive(&mut datagram)? {
                // RFC 7983 §7. A record that has no effect is one that came twice.
                Some(len) if (20..=63).contains(&datagram[0]) => drop(dtls.handle(now()?, &datagram[..len])),
                Some(_) => {}
                None => dtls.handle_timeout(now()?),
            }
        }
        bail!("no end to it")
    }

    /// The next datagram; `None` when there was none in time.
    fn receive(&self, datagram: &mut [u8]) -> Result<Option<usize>> {
        match self.socket.recv(datagram) {
            Ok(len) => Ok(Some(len)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of a handshake")]
fn now() -> Result<Now> {
    Ok(Now { at: Instant::now(), unix: Duration::from_nanos(clock::nanos()?) })
}
