//! Our DTLS against OpenSSL, in memory: both roles, ECDSA and RSA certificates on OpenSSL's side, each SRTP profile, and a
//! network that cuts, doubles, reorders and loses. OpenSSL has a clock of its own, which doesn't go here, so only what we
//! repeat by ourselves gets lost.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use mafalda_media::Now;
use mafalda_media::dtls::{
    Certificate, Connected, Dtls, DtlsFailure, DtlsOutput, Fingerprint, FingerprintAlgorithm, Role,
};
use mafalda_media::srtp::SrtpProfile;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslOptions, SslStream, SslVerifyMode};
use openssl::x509::X509;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const EVERY_PROFILE: &str =
    "SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM";

#[derive(Clone, Copy, Debug, PartialEq)]
enum KeyKind {
    Ecdsa,
    Rsa,
}

/// OpenSSL's certificates, made once per test: an RSA key takes its time.
struct Keys {
    ecdsa: (PKey<Private>, X509),
    rsa: (PKey<Private>, X509),
}

impl Keys {
    fn generate() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let ecdsa = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        Self { ecdsa: sign(ecdsa), rsa: sign(rsa) }
    }

    fn of(&self, kind: KeyKind) -> &(PKey<Private>, X509) {
        if kind == KeyKind::Ecdsa { &self.ecdsa } else { &self.rsa }
    }
}

fn sign(key: PKey<Private>) -> (PKey<Private>, X509) {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (key, builder.build())
}

/// A datagram socket that ends in two queues.
#[derive(Clone, Default)]
struct Wire {
    inbound: Rc<RefCell<VecDeque<Vec<u8>>>>,
    outbound: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Read for Wire {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let datagram = self.inbound.borrow_mut().pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        let length = datagram.len().min(out.len());
        out[..length].copy_from_slice(&datagram[..length]);
        Ok(length)
    }
}

impl Write for Wire {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        self.outbound.borrow_mut().push(datagram.to_vec());
        Ok(datagram.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct OpenSsl {
    stream: SslStream<Wire>,
    wire: Wire,
    connected: bool,
}

impl OpenSsl {
    fn new(role: Role, (key, certificate): &(PKey<Private>, X509), profiles: &str, mtu: u32) -> Self {
        let mut context = SslContext::builder(SslMethod::dtls()).unwrap();
        context.set_private_key(key).unwrap();
        context.set_certificate(certificate).unwrap();
        context.set_options(SslOptions::NO_QUERY_MTU);
        let verify = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
        context.set_verify_callback(verify, |_, _| true);
        if !profiles.is_empty() {
            context.set_tlsext_use_srtp(profiles).unwrap();
        }
        let mut ssl = Ssl::new(&context.build()).unwrap();
        ssl.set_mtu(mtu).unwrap();
        match role {
            Role::Client => ssl.set_connect_state(),
            Role::Server => ssl.set_accept_state(),
        }
        let wire = Wire::default();
        Self { stream: SslStream::new(ssl, wire.clone()).unwrap(), wire, connected: false }
    }

    /// Lets OpenSSL work off what has come; the error text when it gives up.
    fn turn(&mut self) -> Result<(), String> {
        if self.connected {
            return Ok(());
        }
        match self.stream.do_handshake() {
            Ok(()) => self.connected = true,
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    fn exported(&self, length: usize) -> Vec<u8> {
        let mut block = vec![0; length];
        self.stream.ssl().export_keying_material(&mut block, "EXTRACTOR-dtls_srtp", None).unwrap();
        block
    }
}

/// What the network does to the datagrams of one direction.
#[derive(Clone, Copy, Default)]
struct Weather {
    loss: f64,
    duplication: f64,
    shuffle: bool,
}

impl Weather {
    fn pass(self, datagrams: Vec<Vec<u8>>, random: &mut StdRng) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for datagram in datagrams {
            let copies = if random.random_bool(self.duplication) { 2 } else { 1 };
            if !random.random_bool(self.loss) {
                out.extend(std::iter::repeat_n(datagram, copies));
            }
        }
        if self.shuffle {
            for index in (1..out.len()).rev() {
                out.swap(index, random.random_range(0..=index));
            }
        }
        out
    }
}

struct Match {
    now: Now,
    ours: Dtls,
    openssl: OpenSsl,
    connected: Option<Connected>,
    failure: Option<DtlsFailure>,
    data: Vec<Vec<u8>>,
    refusal: Option<String>,
    outbound: Weather,
    inbound: Weather,
    random: StdRng,
}

impl Match {
    fn new(certificate: &Certificate, role: Role, openssl: OpenSsl, seed: u64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs some origin")]
        let now = Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        Self {
            now,
            ours: Dtls::new(certificate, role, now),
            openssl,
            connected: None,
            failure: None,
            data: Vec::new(),
            refusal: None,
            outbound: Weather::default(),
            inbound: Weather::default(),
            random: StdRng::seed_from_u64(seed),
        }
    }

    fn is_connected(&self) -> bool {
        self.connected.is_some() && self.openssl.connected
    }

    /// Carries datagrams to and fro until both are content, one gives up, or our 30 s are over.
    fn run(&mut self) {
        while !self.is_connected() && self.refusal.is_none() && self.failure.is_none() {
            if !self.exchange() {
                let Some(timeout) = self.ours.timeout() else { break };
                self.now = self.now.after(timeout.saturating_duration_since(self.now.at));
                self.ours.handle_timeout(self.now);
            }
        }
        self.drain();
    }

    /// One turn of both ends; false when nothing was on the way.
    fn exchange(&mut self) -> bool {
        let ours = self.drain();
        let mut moved = !ours.is_empty();
        let weather = if self.openssl_must_repeat(&ours) { Weather::default() } else { self.outbound };
        for datagram in weather.pass(ours, &mut self.random) {
            self.openssl.wire.inbound.borrow_mut().push_back(datagram);
        }
        self.refusal = self.openssl.turn().err();
        let theirs = std::mem::take(&mut *self.openssl.wire.outbound.borrow_mut());
        moved |= !theirs.is_empty();
        for datagram in self.inbound.pass(theirs, &mut self.random) {
            let _ = self.ours.handle(self.now, &datagram);
        }
        moved
    }

    /// Whether only the peer's timer could make up for the loss of these: HelloVerifyRequest and the last flight.
    fn openssl_must_repeat(&self, ours: &[Vec<u8>]) -> bool {
        /// Where a handshake message's type stands behind the record's header.
        const KIND: usize = 13;
        let hello_verify_request = ours.iter().any(|datagram| datagram.get(KIND) == Some(&3));
        self.ours.role() == Role::Server && (hello_verify_request || self.connected.is_some())
    }

    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut out = [0; 1500];
        while let Some(output) = self.ours.poll(&mut out) {
            match output {
                DtlsOutput::Packet(length) => packets.push(out[..length].to_vec()),
                DtlsOutput::ApplicationData(length) => self.data.push(out[..length].to_vec()),
                DtlsOutput::Connected(connected) => self.connected = Some(connected),
                DtlsOutput::Failed(failure) => self.failure = Some(failure),
                DtlsOutput::Closed => {}
            }
        }
        packets
    }

    /// Keys, profile and certificates as OpenSSL sees them.
    fn assert_agreement(&self, case: &str, ours: &Certificate, theirs: &X509) {
        assert!(self.is_connected(), "{case}: {:?} / {:?}", self.failure, self.refusal);
        let Connected { keying, peer_certificate } = self.connected.as_ref().unwrap();
        let (key, salt) = (keying.profile().key_len(), keying.profile().salt_len());
        let block = self.openssl.exported(2 * (key + salt));
        let (client_key, server_key) = (&block[..key], &block[key..2 * key]);
        let (client_salt, server_salt) = (&block[2 * key..2 * key + salt], &block[2 * key + salt..]);
        let seen = [keying.local_key(), keying.local_salt(), keying.remote_key(), keying.remote_salt()];
        match self.ours.role() {
            Role::Client => assert_eq!(seen, [client_key, client_salt, server_key, server_salt], "{case}"),
            Role::Server => assert_eq!(seen, [server_key, server_salt, client_key, client_salt], "{case}"),
        }
        let ssl = self.openssl.stream.ssl();
        assert_eq!(
            ssl.selected_srtp_profile().map(|profile| profile.name()),
            Some(openssl_name(keying.profile())),
            "{case}"
        );
        assert_eq!(ssl.peer_certificate().unwrap().to_der().unwrap(), ours.der(), "{case}");
        let digest = theirs.digest(MessageDigest::sha384()).unwrap();
        let fingerprint = Fingerprint::new(FingerprintAlgorithm::Sha384, &digest).unwrap();
        assert_eq!(Fingerprint::verify(&[fingerprint], peer_certificate), Ok(()), "{case}");
    }
}

fn openssl_name(profile: SrtpProfile) -> &'static str {
    match profile {
        SrtpProfile::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        SrtpProfile::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
        SrtpProfile::Aes128CmSha1_80 => "SRTP_AES128_CM_SHA1_80",
        SrtpProfile::Aes128CmSha1_32 => "SRTP_AES128_CM_SHA1_32",
    }
}

/// Runs `body` for each role of ours and each kind of key of OpenSSL's.
fn each_pairing(mut body: impl FnMut(&str, Role, &(PKey<Private>, X509))) {
    let keys = Keys::generate();
    for role in [Role::Client, Role::Server] {
        for kind in [KeyKind::Ecdsa, KeyKind::Rsa] {
            body(&format!("we are {role:?}, OpenSSL's key is {kind:?}"), role, keys.of(kind));
        }
    }
}

#[test]
fn every_profile_is_agreed_on_with_the_same_keys() {
    let certificate = Certificate::generate().unwrap();
    each_pairing(|case, role, key| {
        for profile in SrtpProfile::PREFERENCE {
            let openssl = OpenSsl::new(role.other(), key, openssl_name(profile), 1200);
            let mut game = Match::new(&certificate, role, openssl, 0);
            game.run();
            game.assert_agreement(&format!("{case}, {profile:?}"), &certificate, &key.1);
            assert_eq!(game.connected.unwrap().keying.profile(), profile);
        }
    });
}

#[test]
fn a_certificate_from_pem_serves_as_well() {
    let keys = Keys::generate();
    for (key, certificate) in [&keys.ecdsa, &keys.rsa] {
        let pem = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ours = Certificate::from_pem(
            &pem(certificate.to_pem().unwrap()),
            &pem(key.private_key_to_pem_pkcs8().unwrap()),
        )
        .unwrap();
        for role in [Role::Client, Role::Server] {
            let openssl = OpenSsl::new(role.other(), &keys.ecdsa, EVERY_PROFILE, 1200);
            let mut game = Match::new(&ours, role, openssl, 0);
            game.run();
            game.assert_agreement(&format!("{role:?}, {:?}", key.id()), &ours, &keys.ecdsa.1);
        }
    }
}

#[test]
fn the_best_profile_wins_whatever_the_peers_order() {
    let certificate = Certificate::generate().unwrap();
    each_pairing(|case, role, key| {
        // A server that isn't ours has its own order.
        let expected = match role {
            Role::Server => SrtpProfile::AeadAes256Gcm,
            Role::Client => SrtpProfile::Aes128CmSha1_32,
        };
        let openssl = OpenSsl::new(role.other(), key, EVERY_PROFILE, 1200);
        let mut game = Match::new(&certificate, role, openssl, 0);
        game.run();
        game.assert_agreement(case, &certificate, &key.1);
        assert_eq!(game.connected.unwrap().keying.profile(), expected, "{case}");
    });
}

#[test]
fn no_profile_in_common_fails_at_once() {
    let certificate = Certificate::generate().unwrap();
    each_pairing(|case, role, key| {
        let openssl = OpenSsl::new(role.other(), key, "", 1200);
        let mut game = Match::new(&certificate, role, openssl, 0);
        game.run();
        let expected = match role {
            Role::Client => DtlsFailure::Refused { alert: 71 },
            Role::Server => DtlsFailure::NoSrtpProfile,
        };
        assert_eq!(game.failure, Some(expected), "{case}");
        game.exchange();
        assert!(game.refusal.is_some(), "{case}: OpenSSL isn't told");
    });
}

#[test]
fn fragments_loss_and_disorder_are_survived() {
    let certificate = Certificate::generate().unwrap();
    each_pairing(|case, role, key| {
        for seed in 0..10 {
            let openssl = OpenSsl::new(role.other(), key, EVERY_PROFILE, 256 + 40 * seed);
            let mut game = Match::new(&certificate, role, openssl, u64::from(seed));
            game.outbound = Weather { loss: 0.3, duplication: 0.2, shuffle: true };
            game.inbound = Weather { loss: 0.0, duplication: 0.2, shuffle: true };
            game.run();
            game.assert_agreement(&format!("{case}, seed {seed}"), &certificate, &key.1);
        }
    });
}

#[test]
fn data_and_close_notify_are_understood() {
    let certificate = Certificate::generate().unwrap();
    each_pairing(|case, role, key| {
        let openssl = OpenSsl::new(role.other(), key, EVERY_PROFILE, 1200);
        let mut game = Match::new(&certificate, role, openssl, 0);
        game.run();
        game.exchange();
        game.ours.send(game.now, b"from us").unwrap();
        game.exchange();
        let mut data = [0; 100];
        let length = game.openssl.stream.ssl_read(&mut data).unwrap();
        assert_eq!(&data[..length], b"from us", "{case}");
        game.openssl.stream.ssl_write(b"from openssl").unwrap();
        game.exchange();
        game.drain();
        assert_eq!(game.data, [b"from openssl"], "{case}");
        game.ours.close(game.now);
        game.exchange();
        let end = game.openssl.stream.ssl_read(&mut data).unwrap_err();
        assert_eq!(end.code(), ErrorCode::ZERO_RETURN, "{case}");
    });
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let certificate = Certificate::generate().unwrap();
    let mut context = SslContext::builder(SslMethod::dtls()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_tlsext_use_srtp(EVERY_PROFILE).unwrap();
    let mut ssl = Ssl::new(&context.build()).unwrap();
    ssl.set_connect_state();
    let wire = Wire::default();
    let openssl = OpenSsl { stream: SslStream::new(ssl, wire.clone()).unwrap(), wire, connected: false };
    let mut game = Match::new(&certificate, Role::Server, openssl, 0);
    game.run();
    assert_eq!(game.failure, Some(DtlsFailure::Refused { alert: 41 }));
    assert!(game.connected.is_none());
}
