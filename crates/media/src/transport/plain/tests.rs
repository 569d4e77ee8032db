use std::net::{IpAddr, SocketAddr};

use mafalda_api::id::{RouterId, TransportId};
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::srtp_parameters::SrtpCryptoSuite;
use rand::SeedableRng;

use super::*;
use crate::worker::SocketBuffers;

const RTP: SocketId = SocketId(1);
const RTCP: SocketId = SocketId(2);

fn create(change: impl FnOnce(&mut CreatePlainTransport)) -> Plain {
    let info = ListenInfo { ip: IpAddr::from([127, 0, 0, 1]), ..ListenInfo::of_place(Protocol::Udp) };
    let mut command = CreatePlainTransport {
        id: TransportId::new(),
        router: RouterId::new(),
        listen_infos: vec![info.clone(), info],
        rtcp_mux: true,
        comedia: false,
        srtp_crypto_suite: None,
        max_incoming_bitrate: None,
    };
    change(&mut command);
    let sockets = [(RTP, 0, 4000), (RTCP, 1, 4001)].map(|(socket, info, port)| ListenSocket {
        socket,
        info,
        local: SocketAddr::from(([127, 0, 0, 1], port)),
        buffers: SocketBuffers::default(),
    });
    Plain::new(&command, &sockets, &mut rng()).unwrap()
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn named() -> ConnectPlainTransport {
    ConnectPlainTransport {
        id: TransportId::new(),
        ip: Some(IpAddr::from([10, 0, 0, 1])),
        port: Some(5000),
        rtcp_port: None,
        srtp_parameters: None,
    }
}

fn unnamed() -> ConnectPlainTransport {
    ConnectPlainTransport { ip: None, port: None, ..named() }
}

fn from(socket: SocketId, port: u16) -> Tuple {
    Tuple { socket, remote: SocketAddr::from(([10, 0, 0, 1], port)) }
}

fn key(suite: SrtpCryptoSuite) -> SrtpParameters {
    KeyText::draw(suite, &mut StdRng::seed_from_u64(2)).to_parameters()
}

#[test]
fn a_peer_is_named_once() {
    let mut plain = create(|_| {});
    assert!(plain.rtp_tuple().is_none() && !plain.may_learn(RTP, Channel::Rtp));
    plain.connect(&named(), &mut rng()).unwrap();
    assert_eq!((plain.rtp_tuple(), plain.rtcp_tuple()), (Some(from(RTP, 5000)), Some(from(RTP, 5000))));
    let failure = plain.connect(&named(), &mut rng()).unwrap_err();
    assert_eq!(failure.code, ErrorCode::WrongState);
}

#[test]
fn rtcp_without_mux_has_a_port_of_its_own() {
    let mut plain = create(|command| command.rtcp_mux = false);
    let failure = plain.connect(&named(), &mut rng()).unwrap_err();
    assert!(failure.detail.contains("rtcp_port"), "{failure}");
    plain.connect(&ConnectPlainTransport { rtcp_port: Some(5001), ..named() }, &mut rng()).unwrap();
    assert_eq!((plain.rtp_tuple(), plain.rtcp_tuple()), (Some(from(RTP, 5000)), Some(from(RTCP, 5001))));
    assert!(plain.sockets().eq([RTP, RTCP]) && plain.describe_rtcp().is_some());
}

#[test]
fn what_is_missing_or_superfluous_is_refused_and_changes_nothing() {
    let wrong = [
        ConnectPlainTransport { ip: None, ..named() },
        ConnectPlainTransport { port: None, ..named() },
        ConnectPlainTransport { rtcp_port: Some(1), ..named() },
        ConnectPlainTransport { ip: Some("::1".parse().unwrap()), ..named() },
        ConnectPlainTransport { ip: Some("0.0.0.0".parse().unwrap()), ..named() },
        ConnectPlainTransport { port: Some(0), ..named() },
        ConnectPlainTransport { srtp_parameters: Some(key(SrtpCryptoSuite::AeadAes128Gcm)), ..named() },
    ];
    let mut plain = create(|_| {});
    for command in wrong {
        let failure = plain.connect(&command, &mut rng()).unwrap_err();
        assert_eq!(failure.code, ErrorCode::InvalidArgument, "{failure}");
    }
    plain.connect(&named(), &mut rng()).unwrap();
    let mut comedia = create(|command| command.comedia = true);
    let failure = comedia.connect(&named(), &mut rng()).unwrap_err();
    assert_eq!(failure.code, ErrorCode::InvalidArgument, "{failure}");
}

#[test]
fn comedia_learns_each_channel_from_its_own_socket_and_once() {
    let mut plain = create(|command| (command.comedia, command.rtcp_mux) = (true, false));
    assert!(!plain.learn(from(RTP, 1), Channel::Rtcp) && !plain.learn(from(RTCP, 1), Channel::Rtp));
    assert!(plain.learn(from(RTCP, 7), Channel::Rtcp) && plain.learn(from(RTP, 6), Channel::Rtp));
    assert!(!plain.learn(from(RTP, 8), Channel::Rtp), "who came first stays");
    assert_eq!((plain.rtp_tuple(), plain.rtcp_tuple()), (Some(from(RTP, 6)), Some(from(RTCP, 7))));
    let mut muxed = create(|command| command.comedia = true);
    assert!(muxed.learn(from(RTP, 9), Channel::Rtcp), "with mux, RTCP names the peer too");
    assert_eq!(muxed.rtp_tuple(), Some(from(RTP, 9)));
}

#[test]
fn srtp_waits_for_the_peer_s_key_which_has_the_length_of_its_suite() {
    let suite = SrtpCryptoSuite::AeadAes256Gcm;
    let mut plain = create(|command| (command.comedia, command.srtp_crypto_suite) = (true, Some(suite)));
    assert!(!plain.first_protection().is_ready());
    assert!(plain.connect(&unnamed(), &mut rng()).is_err(), "the key is missing");
    for key_base64 in ["?", "AAAA"] {
        let key = SrtpParameters { crypto_suite: suite, key_base64: key_base64.into() };
        let command = ConnectPlainTransport { srtp_parameters: Some(key), ..unnamed() };
        assert_eq!(plain.connect(&command, &mut rng()).unwrap_err().code, ErrorCode::InvalidArgument);
    }
    let before = plain.srtp_parameters().unwrap();
    let command = ConnectPlainTransport { srtp_parameters: Some(key(suite)), ..unnamed() };
    assert!(plain.connect(&command, &mut rng()).unwrap().is_ready());
    assert_eq!(plain.srtp_parameters(), Some(before), "the same suite, the same key");
}

#[test]
fn a_peer_with_our_own_key_is_refused() {
    let suite = SrtpCryptoSuite::AeadAes128Gcm;
    let mut plain = create(|command| command.srtp_crypto_suite = Some(suite));
    let command = ConnectPlainTransport { srtp_parameters: plain.srtp_parameters(), ..named() };
    assert_eq!(plain.connect(&command, &mut rng()).unwrap_err().code, ErrorCode::InvalidArgument);
    let command = ConnectPlainTransport { srtp_parameters: Some(key(suite)), ..named() };
    assert!(plain.connect(&command, &mut rng()).is_ok(), "the refusal left nothing behind");
}

#[test]
fn each_kind_of_packet_has_its_socket() {
    let split = create(|command| command.rtcp_mux = false);
    let taken = |plain: &Plain, kind| [RTP, RTCP].map(|socket| plain.check(socket, kind).is_ok());
    assert_eq!((taken(&split, Kind::Rtp), taken(&split, Kind::Rtcp)), ([true, false], [false, true]));
    assert_eq!(split.check(RTP, Kind::Rtcp), Err(DropReason::UnknownTuple));
    let muxed = create(|_| {});
    assert!([Kind::Rtp, Kind::Rtcp].into_iter().all(|kind| muxed.check(RTP, kind).is_ok()));
    assert_eq!(muxed.check(RTP, Kind::Dtls), Err(DropReason::UnexpectedDtls));
}

#[test]
fn a_socket_for_each_channel_is_required() {
    let info = ListenInfo { ip: IpAddr::from([127, 0, 0, 1]), ..ListenInfo::of_place(Protocol::Udp) };
    let command = CreatePlainTransport {
        id: TransportId::new(),
        router: RouterId::new(),
        listen_infos: vec![info],
        rtcp_mux: false,
        comedia: false,
        srtp_crypto_suite: None,
        max_incoming_bitrate: None,
    };
    let rtp = ListenSocket {
        socket: RTP,
        info: 0,
        local: SocketAddr::from(([127, 0, 0, 1], 4000)),
        buffers: SocketBuffers::default(),
    };
    for sockets in [&[][..], &[rtp]] {
        let failure = Plain::new(&command, sockets, &mut rng()).unwrap_err();
        assert_eq!(failure.code, ErrorCode::InvalidArgument);
    }
}

#[test]
fn a_peer_that_chooses_another_suite_gets_another_key() {
    let lens = [
        (SrtpCryptoSuite::AeadAes128Gcm, 28),
        (SrtpCryptoSuite::AesCm128HmacSha180, 30),
        (SrtpCryptoSuite::AesCm128HmacSha132, 30),
    ];
    for (suite, len) in lens {
        let mut plain = create(|command| command.srtp_crypto_suite = Some(SrtpCryptoSuite::AeadAes256Gcm));
        let command = ConnectPlainTransport { srtp_parameters: Some(key(suite)), ..named() };
        plain.connect(&command, &mut rng()).unwrap();
        let ours = plain.srtp_parameters().unwrap();
        assert_eq!(
            (ours.crypto_suite, KeyText::parse(&ours).unwrap().to_parameters()),
            (suite, ours.clone())
        );
        assert_eq!(ours.key_base64.trim_end_matches('=').len() * 6 / 8, len);
    }
}
