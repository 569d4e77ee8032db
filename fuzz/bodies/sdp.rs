//! Session descriptions and fragments of them: no text brings the parsers down, what is read is within its bounds, and an answer
//! that is written of it says the same when it is read again.

use mafalda_api::types::data_structures::{DtlsFingerprint, IceParameters};
use mafalda_api::types::rtp_parameters::RtpParameters;
use mafalda_gateway::sdp::{
    Answer, CANDIDATES_MAX, Content, Fragment, LocalTransport, Offer, Outcome, SECTIONS_MAX, Section,
    write_fragment,
};

/// Reads what `data` says; panics when a promise is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(offer) = Offer::parse(text) {
        check_offer(&offer);
    }
    if let Ok(fragment) = Fragment::parse(text) {
        assert!(fragment.candidates <= CANDIDATES_MAX);
    }
}

fn check_offer(offer: &Offer) {
    assert!((1..=SECTIONS_MAX).contains(&offer.sections.len()));
    let transport = transport(offer);
    let sections: Vec<_> = offer.sections.iter().map(|section| (section, take(section))).collect();
    let text = Answer { session_id: 1, transport: &transport, sections }.to_text();
    // An answer of ours is one of a lite agent, which an offer must not be.
    let again = Offer::parse(&text.replacen("a=ice-lite\r\n", "", 1)).expect("an answer is well formed");
    assert_eq!(again.sections.len(), offer.sections.len());
    for (before, after) in offer.sections.iter().zip(&again.sections) {
        assert_eq!(before.mid, after.mid);
        if let (Ok(before), Ok(after)) = (&before.content, &after.content) {
            assert_eq!(before.codecs.len(), after.codecs.len());
            assert_eq!(extensions(before), extensions(after));
        }
    }
    let bundle: Vec<_> = offer.sections.iter().collect();
    let fragment = Fragment::parse(&write_fragment(&transport, &bundle)).expect("a fragment is well formed");
    assert!(fragment.ice.is_some() && fragment.end_of_candidates);
}

/// All of a section, as a client sends it.
fn take(section: &Section) -> Outcome {
    match &section.content {
        Ok(content) if !content.codecs.is_empty() => Outcome::Receives(RtpParameters {
            codecs: content.codecs.clone(),
            header_extensions: content.header_extensions.iter().map(|(it, _)| it.clone()).collect(),
            ..RtpParameters::default()
        }),
        _ => Outcome::Rejected,
    }
}

fn extensions(content: &Content) -> Vec<(u16, &'static str)> {
    content.header_extensions.iter().map(|(it, _)| (it.id, it.uri.as_str())).collect()
}

fn transport(offer: &Offer) -> LocalTransport {
    LocalTransport {
        ice_parameters: IceParameters {
            username_fragment: "ours".into(),
            password: "a password of enough letters".replace(' ', "+"),
            ice_lite: Some(true),
        },
        ice_candidates: Vec::new(),
        fingerprints: vec![DtlsFingerprint::Sha256 { value: [7; 32] }],
        remote_role: offer.transport.dtls_parameters.role,
    }
}
