//! SRTP on PlainTransports, against the engine's own SRTP as the peer: keys, suites, what comedia makes of packets that have none.

use mafalda_media::srtp::{PlainRtp, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender};

use super::*;

on_each_backend! {
    a_peer_may_choose_another_suite,
    media_goes_through_under_srtp_with_each_suite,
    what_is_not_authentic_names_nobody,
    comedia_learns_where_srtcp_comes_from,
}

const SUITES: [(SrtpCryptoSuite, SrtpProfile); 4] = [
    (SrtpCryptoSuite::AeadAes256Gcm, SrtpProfile::AeadAes256Gcm),
    (SrtpCryptoSuite::AeadAes128Gcm, SrtpProfile::AeadAes128Gcm),
    (SrtpCryptoSuite::AesCm128HmacSha180, SrtpProfile::Aes128CmSha1_80),
    (SrtpCryptoSuite::AesCm128HmacSha132, SrtpProfile::Aes128CmSha1_32),
];

async fn a_peer_may_choose_another_suite(manager: &WorkerManager) {
    let mut protected = options();
    protected.enable_srtp = true;
    let transport = create(&router(manager).await, protected).await;
    let before = transport.srtp_parameters().expect("a key");
    assert_eq!(before.crypto_suite, SrtpCryptoSuite::AesCm128HmacSha180, "the default");
    let suite = SrtpCryptoSuite::AeadAes256Gcm;
    let key = SrtpParameters { crypto_suite: suite, key_base64: BASE64.encode([3; 44]) };
    let remote = PlainTransportRemoteParameters { srtp_parameters: Some(key), ..named(&socket()) };
    transport.connect(remote).await.expect("a connection");
    let after = transport.srtp_parameters().expect("a key");
    assert_eq!((after.crypto_suite, BASE64.decode(&after.key_base64).expect("Base64").len()), (suite, 44));
    assert_eq!(transport.dump().await.expect("a dump").srtp_parameters, Some(after));
}

async fn media_goes_through_under_srtp_with_each_suite(manager: &WorkerManager) {
    let router = router(manager).await;
    for (suite, profile) in SUITES {
        let mut protected = comedia();
        (protected.enable_srtp, protected.srtp_crypto_suite) = (true, suite);
        let input = create(&router, protected.clone()).await;
        protected.comedia = false;
        let output = create(&router, protected).await;
        let (source, sink) = (socket(), socket());
        let ours = vec![9; profile.key_len() + profile.salt_len()];
        let key = Some(SrtpParameters { crypto_suite: suite, key_base64: BASE64.encode(&ours) });
        let remote = PlainTransportRemoteParameters { srtp_parameters: key.clone(), ..Default::default() };
        input.connect(remote).await.expect("a connection");
        output
            .connect(PlainTransportRemoteParameters { srtp_parameters: key, ..named(&sink) })
            .await
            .expect("a connection");
        let producer = produce(&input).await;
        consume(&output, producer.id()).await.detach();
        let (key, salt) = ours.split_at(profile.key_len());
        let sender = SrtpSender::new(SrtpKeys::new(profile, key, salt).expect("a key"));
        let mut protected = [0; 200];
        let header = packet(7, &[]);
        let plain = PlainRtp { header: &header, prefix: &[], payload: b"secret" };
        let len = sender.protect_rtp(7, plain, &mut protected).expect("a packet");
        send(&source, &protected[..len], &input.tuple());
        let mut got = receive_rtp(&sink);
        let theirs = output.srtp_parameters().expect("a key");
        assert_eq!(theirs.crypto_suite, suite);
        let theirs = BASE64.decode(theirs.key_base64).expect("Base64");
        let (key, salt) = theirs.split_at(profile.key_len());
        let mut receiver = SrtpReceiver::new(SrtpKeys::new(profile, key, salt).expect("a key"));
        // One word of extensions, or more: its length is in the header (RFC 3550 §5.3.1).
        let offset = if got[0] & 0x10 == 0 {
            12
        } else {
            16 + 4 * usize::from(u16::from_be_bytes([got[14], got[15]]))
        };
        let len = receiver.unprotect_rtp(&mut got, offset).expect("an authentic packet").len;
        assert_eq!(&got[offset..len], b"secret", "{suite:?}");
    }
}

async fn what_is_not_authentic_names_nobody(manager: &WorkerManager) {
    let mut protected = comedia();
    protected.enable_srtp = true;
    let transport = create(&router(manager).await, protected).await;
    produce(&transport).await.detach();
    let socket = socket();
    send(&socket, &packet(1, &[0; 100]), &transport.tuple());
    let key = SrtpParameters {
        crypto_suite: SrtpCryptoSuite::AesCm128HmacSha180,
        key_base64: BASE64.encode([1; 30]),
    };
    let remote = PlainTransportRemoteParameters { srtp_parameters: Some(key), ..Default::default() };
    transport.connect(remote).await.expect("a connection");
    send(&socket, &packet(2, &[0; 100]), &transport.tuple());
    // A packet was taken in when it is counted; the calls before it don't tell when that is.
    while transport.get_stats().await.expect("statistics")[0].bytes_received < 112 {}
    assert_eq!(transport.tuple().remote_port(), None);
}

async fn comedia_learns_where_srtcp_comes_from(manager: &WorkerManager) {
    let mut options = comedia();
    (options.rtcp_mux, options.enable_srtp) = (false, true);
    let transport = create(&router(manager).await, options).await;
    let profile = SrtpProfile::Aes128CmSha1_80;
    let ours = vec![5; profile.key_len() + profile.salt_len()];
    let key = SrtpParameters {
        crypto_suite: SrtpCryptoSuite::AesCm128HmacSha180,
        key_base64: BASE64.encode(&ours),
    };
    let remote = PlainTransportRemoteParameters { srtp_parameters: Some(key), ..Default::default() };
    transport.connect(remote).await.expect("a connection");
    let (told, tuples) = calls();
    let _rtp = transport.on_tuple(|tuple| panic!("no RTP has come: {tuple:?}"));
    let _rtcp = transport.on_rtcp_tuple(move |it| told.send(it.clone()).expect("the body waits"));
    let (stranger, peer) = (socket(), socket());
    let rtcp = transport.rtcp_tuple().expect("a tuple of its own");
    // Who has no key is nobody, though he comes first.
    send(&stranger, &RECEIVER_REPORT, &rtcp);
    send(&stranger, &[&RECEIVER_REPORT[..], &[0; 14]].concat(), &rtcp);
    let (key, salt) = ours.split_at(profile.key_len());
    let mut sender = SrtpSender::new(SrtpKeys::new(profile, key, salt).expect("a key"));
    let mut protected = [0; 100];
    let len = sender.protect_rtcp(&RECEIVER_REPORT, &mut protected).expect("a packet");
    send(&peer, &protected[..len], &rtcp);
    assert_eq!(tuples.next().remote_port(), Some(port(&peer)));
    assert!(tuples.is_empty());
    assert_eq!(transport.tuple().remote_port(), None);
}
