//! From what a server offers for a Transport to what a client is made of, and what the server is told in return.

use std::net::{SocketAddr, ToSocketAddrs};

use mafalda_api::types::data_structures::{IceCandidate, Protocol};
use mafalda_media::dtls::Certificate;
use rand::rngs::StdRng;

use super::RunError;
use crate::client::{Access, WebRtcAccess};
use crate::negotiation::{draw_srtp_parameters, dtls_parameters, fingerprints, srtp_keys};
use crate::target::{Introduction, Offer, PlainOffer, WebRtcOffer};

/// Both ends' part of a Transport.
pub(super) struct Agreement {
    pub(super) remote: SocketAddr,
    pub(super) access: Access,
    pub(super) introduction: Introduction,
}

/// Takes an offer. `certificate` is what clients show, `rng` draws the keys of those that have none.
pub(super) fn agree(
    offer: Offer,
    certificate: &Certificate,
    rng: &mut StdRng,
) -> Result<Agreement, RunError> {
    match offer {
        Offer::WebRtc(offer) => agree_on_webrtc(*offer, certificate),
        Offer::Plain(offer) => agree_on_plain(&offer, rng),
    }
}

fn agree_on_webrtc(offer: WebRtcOffer, certificate: &Certificate) -> Result<Agreement, RunError> {
    let access = WebRtcAccess {
        ice: offer.ice,
        fingerprints: fingerprints(&offer.dtls),
        certificate: certificate.clone(),
    };
    Ok(Agreement {
        remote: choose(&offer.candidates)?,
        access: Access::WebRtc(Box::new(access)),
        introduction: Introduction::WebRtc(dtls_parameters(certificate)),
    })
}

fn agree_on_plain(offer: &PlainOffer, rng: &mut StdRng) -> Result<Agreement, RunError> {
    let (keys, introduction) = match &offer.srtp {
        Some(theirs) => {
            let ours = draw_srtp_parameters(theirs.crypto_suite, rng);
            (Some(Box::new((srtp_keys(&ours)?, srtp_keys(theirs)?))), Some(ours))
        }
        None => (None, None),
    };
    Ok(Agreement {
        remote: offer.remote,
        access: Access::Plain(keys),
        introduction: Introduction::Plain(introduction),
    })
}

/// The server's best UDP address.
fn choose(candidates: &[IceCandidate]) -> Result<SocketAddr, RunError> {
    let mut udp: Vec<&IceCandidate> = candidates.iter().filter(|it| it.protocol == Protocol::Udp).collect();
    udp.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority));
    let address = |it: &IceCandidate| (it.address.as_str(), it.port).to_socket_addrs().ok()?.next();
    let named = || udp.iter().map(|it| it.address.as_str()).collect::<Vec<_>>().join(", ");
    udp.iter().find_map(|it| address(it)).ok_or_else(|| RunError::NoCandidate(named()))
}

#[cfg(test)]
mod tests {
    use mafalda_api::types::data_structures::IceCandidateType;
    use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
    use rand::SeedableRng;

    use super::*;
    use crate::negotiation::NegotiationError;

    fn candidate(address: &str, protocol: Protocol, priority: u32) -> IceCandidate {
        IceCandidate {
            foundation: "f".into(),
            priority,
            address: address.into(),
            protocol,
            port: 9,
            r#type: IceCandidateType::Host,
            tcp_type: None,
        }
    }

    #[test]
    fn the_best_udp_address_that_can_be_read_is_chosen() {
        let candidates = [
            candidate("127.0.0.1", Protocol::Udp, 5),
            candidate("127.0.0.2", Protocol::Udp, 7),
            candidate("127.0.0.3", Protocol::Tcp, 9),
            candidate("", Protocol::Udp, 8),
        ];
        assert_eq!(choose(&candidates).unwrap(), SocketAddr::from(([127, 0, 0, 2], 9)));
        assert!(matches!(choose(&candidates[2..]), Err(RunError::NoCandidate(_))));
    }

    fn plain(key_base64: &str) -> Result<Agreement, RunError> {
        let srtp =
            SrtpParameters { crypto_suite: SrtpCryptoSuite::AeadAes128Gcm, key_base64: key_base64.into() };
        let offer = Offer::Plain(PlainOffer { remote: ([127, 0, 0, 1], 9).into(), srtp: Some(srtp) });
        agree(offer, &Certificate::generate().unwrap(), &mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn keys_are_of_the_suite_that_is_offered_and_a_wrong_one_is_refused() {
        // 16 bytes of key and 12 of salt.
        let agreement = plain("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==").unwrap();
        let Introduction::Plain(Some(ours)) = agreement.introduction else { panic!("no key of ours") };
        assert_eq!(ours.crypto_suite, SrtpCryptoSuite::AeadAes128Gcm);
        assert!(srtp_keys(&ours).is_ok() && matches!(agreement.access, Access::Plain(Some(_))));
        for wrong in ["", "AAECAwQF", "no Base64!"] {
            let refusal = plain(wrong).err().unwrap();
            assert!(matches!(refusal, RunError::Negotiation(NegotiationError::Key(_))), "{refusal}");
        }
    }
}
