//! The bare handshake: two ends of the DTLS crate in memory, with nothing of ours between them. What a Worker takes for a handshake is
//! held against what the server's end takes here. With our guard around the same ends it shows which part of the difference is the
//! guard's; that part is a gain, since the guard spares the crate a check of a signature.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use mafalda_media::Now;
use mafalda_media::dtls::{Dtls, DtlsOutput, Role};
use nix::time::{ClockId, clock_gettime};
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use serde::Serialize;

use crate::dialogue::{self, Commands};

/// Each end knows the other by an address, which nothing is sent to.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 2);

/// A handshake has six flights, with a cookie; more rounds than that mean that it is stuck.
const ROUNDS_MAX: usize = 16;

/// The longest datagram of a handshake.
const DATAGRAM_LEN_MAX: usize = 2048;

/// DTLS handshakes in memory. Lines: `handshakes N` by the bare crate, `guarded N` by the crate behind our guard
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// What the server's ends took.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Count {
    handshakes: u64,
    /// CPU time, in nanoseconds.
    nanos: u64,
}

pub(crate) fn run(_: &Options) -> Result<()> {
    let (pair, guarded) = (Pair::new()?, Guarded::new()?);
    let mut commands = Commands::default();
    dialogue::say(&serde_json::json!({ "ready": true }))?;
    while let Some(lines) = commands.read()? {
        for line in lines {
            let (kind, count) = line.split_once(' ').with_context(|| format!("no command: {line}"))?;
            let mut total = Count { handshakes: count.parse()?, nanos: 0 };
            for _ in 0..total.handshakes {
                let spent = match kind {
                    "handshakes" => pair.shake_hands()?,
                    "guarded" => guarded.shake_hands()?,
                    _ => bail!("no command: {line}"),
                };
                total.nanos += u64::try_from(spent.as_nanos())?;
            }
            dialogue::say(&total)?;
        }
    }
    Ok(())
}

/// What both ends can, made once as an application would.
#[derive(Debug)]
struct Pair {
    client: Arc<HandshakeConfig>,
    server: Arc<HandshakeConfig>,
}

impl Pair {
    fn new() -> Result<Self> {
        let provider = rtc_crypto::default_provider()?;
        Ok(Self { client: configure(&provider, true)?, server: configure(&provider, false)? })
    }

    /// What the server's end took, from nothing to keys.
    fn shake_hands(&self) -> Result<Duration> {
        let now = now();
        let mut client = Endpoint::new(CLIENT, Default::default(), None);
        client.connect(now, SERVER, Arc::clone(&self.client), None)?;
        let mut spent = Duration::ZERO;
        let mut server =
            timed(&mut spent, || Endpoint::new(SERVER, Default::default(), Some(Arc::clone(&self.server))))?;
        let (mut is_client_done, mut is_server_done) = (false, false);
        for _ in 0..ROUNDS_MAX {
            while let Some(packet) = client.poll_transmit() {
                let events = timed(&mut spent, || server.read(now, CLIENT, None, packet.message))??;
                is_server_done |= is_complete(&events);
            }
            while let Some(packet) = timed(&mut spent, || server.poll_transmit())? {
                is_client_done |= is_complete(&client.read(now, SERVER, None, packet.message)?);
            }
            if is_client_done && is_server_done {
                let export = || {
                    let state = server.get_connection_state(CLIENT).context("the server is connected")?;
                    state.export_keying_material("EXTRACTOR-dtls_srtp", &[], 88).context("no keys")
                };
                let keys = timed(&mut spent, export)??;
                ensure!(keys.as_ref().len() == 88, "keys of another length");
                return Ok(spent);
            }
        }
        bail!("no end to a handshake")
    }
}

/// The same behind our guard.
#[derive(Debug)]
struct Guarded {
    client: mafalda_media::dtls::Certificate,
    server: mafalda_media::dtls::Certificate,
}

impl Guarded {
    fn new() -> Result<Self> {
        let generate = mafalda_media::dtls::Certificate::generate;
        Ok(Self { client: generate()?, server: generate()? })
    }

    fn shake_hands(&self) -> Result<Duration> {
        let now = Now { at: now(), unix: Duration::ZERO };
        let mut client = Dtls::new(&self.client, Role::Client, now);
        let mut spent = Duration::ZERO;
        let mut server = timed(&mut spent, || Dtls::new(&self.server, Role::Server, now))?;
        let (mut is_client_done, mut is_server_done) = (false, false);
        let mut datagram = [0; DATAGRAM_LEN_MAX];
        for _ in 0..ROUNDS_MAX {
            while let Some(output) = client.poll(&mut datagram) {
                match output {
                    DtlsOutput::Packet(len) => {
                        timed(&mut spent, || server.handle(now, &datagram[..len]))?
                            .ok()
                            .context("dropped")?;
                    }
                    DtlsOutput::Connected(_) => is_client_done = true,
                    other => bail!("the client: {other:?}"),
                }
            }
            while let Some(output) = timed(&mut spent, || server.poll(&mut datagram))? {
                match output {
                    DtlsOutput::Packet(len) => {
                        client.handle(now, &datagram[..len]).ok().context("dropped")?;
                    }
                    DtlsOutput::Connected(_) => is_server_done = true,
                    other => bail!("the server: {other:?}"),
                }
            }
            if is_client_done && is_server_done {
                return Ok(spent);
            }
        }
        bail!("no end to a handshake")
    }
}

fn is_complete(events: &[EndpointEvent]) -> bool {
    events.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete))
}

/// The same as the engine's ends: P-256, AES-128 in GCM, certificates of both, extended master secret.
fn configure(provider: &Arc<dyn RTCCryptoProvider>, is_client: bool) -> Result<Arc<HandshakeConfig>> {
    let certificate = Certificate::generate_self_signed(vec!["WebRTC".to_owned()], provider.crypto())?;
    let config = ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(provider))
        .with_certificates(vec![certificate])
        .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm])
        .with_insecure_skip_verify(true)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .with_server_name("WebRTC".to_owned())
        .build(is_client, None)?;
    Ok(Arc::new(config))
}

/// Adds what the body took of this thread's CPU time.
fn timed<T>(spent: &mut Duration, body: impl FnOnce() -> T) -> Result<T> {
    let before = Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?);
    let result = body();
    *spent += Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?) - before;
    Ok(result)
}

#[expect(clippy::disallowed_methods, reason = "the driver of a handshake")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_done_and_the_server_took_time() {
        let (pair, guarded) = (Pair::new().unwrap(), Guarded::new().unwrap());
        assert!(pair.shake_hands().unwrap() > Duration::from_micros(10));
        assert!(guarded.shake_hands().unwrap() > Duration::from_micros(10));
    }
}
