//! The few facts that are read from whole handshake messages before the engine sees them.

use crate::srtp::SrtpProfile;

/// The extension use_srtp (RFC 5764 §4.1.1).
const USE_SRTP: u16 = 14;

/// The profile to agree on with a client: the first of [`SrtpProfile::PREFERENCE`] that its ClientHello offers.
pub(super) fn best_profile(client_hello: &[u8]) -> Option<SrtpProfile> {
    let offered = use_srtp(client_hello)?;
    SrtpProfile::PREFERENCE.into_iter().find(|profile| {
        let (pairs, _) = offered.as_chunks::<2>();
        pairs.iter().any(|pair| u16::from_be_bytes(*pair) == profile.id())
    })
}

/// The list of profiles in a ClientHello (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1 for the cookie).
fn use_srtp(client_hello: &[u8]) -> Option<&[u8]> {
    let mut rest = client_hello.get(2 + 32..)?;
    let _session_id = take_vector::<1>(&mut rest)?;
    let _cookie = take_vector::<1>(&mut rest)?;
    let _cipher_suites = take_vector::<2>(&mut rest)?;
    let _compression_methods = take_vector::<1>(&mut rest)?;
    let mut extensions = take_vector::<2>(&mut rest)?;
    loop {
        let (kind, after) = extensions.split_first_chunk::<2>()?;
        extensions = after;
        let mut data = take_vector::<2>(&mut extensions)?;
        if u16::from_be_bytes(*kind) == USE_SRTP {
            return take_vector::<2>(&mut data);
        }
    }
}

/// Whether each certificate of a Certificate message lies within it (RFC 5246 §7.4.2).
///
/// The engine allocates what a certificate's length says, 16 MiB at most, before it looks for the bytes.
pub(super) fn certificates_fit(certificate: &[u8]) -> bool {
    let mut rest = certificate;
    let Some(mut list) = take_vector::<3>(&mut rest) else { return false };
    while !list.is_empty() {
        if take_vector::<3>(&mut list).is_none() {
            return false;
        }
    }
    rest.is_empty()
}

/// Takes a vector with a length of `N` bytes in front off `rest` (RFC 5246 §4.3).
fn take_vector<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<N>()?;
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (vector, left) = after.split_at_checked(length)?;
    *rest = left;
    Some(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_hello(profiles: &[u16]) -> Vec<u8> {
        let mut list: Vec<u8> = profiles.iter().flat_map(|profile| profile.to_be_bytes()).collect();
        list.splice(..0, u16::try_from(list.len()).unwrap().to_be_bytes());
        list.push(0);
        let mut hello = vec![254, 253];
        hello.extend([0; 32]);
        hello.extend([0, 2, 9, 9, 0, 2, 0xc0, 0x2b, 1, 0]);
        let other = [0, 23, 0, 0];
        hello.extend(u16::try_from(other.len() + 4 + list.len()).unwrap().to_be_bytes());
        hello.extend(other);
        hello.extend(USE_SRTP.to_be_bytes());
        hello.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
        hello.extend(list);
        hello
    }

    #[test]
    fn our_order_decides_and_not_the_clients() {
        assert_eq!(best_profile(&client_hello(&[2, 1, 7, 8])), Some(SrtpProfile::AeadAes256Gcm));
        assert_eq!(best_profile(&client_hello(&[2, 5, 1])), Some(SrtpProfile::Aes128CmSha1_80));
        assert_eq!(best_profile(&client_hello(&[5, 6])), None);
    }

    #[test]
    fn a_cut_hello_has_no_profile() {
        let hello = client_hello(&[8]);
        for length in 0..hello.len() - 1 {
            assert_eq!(best_profile(&hello[..length]), None, "{length}");
        }
    }

    #[test]
    fn certificates_must_lie_within_their_message() {
        assert!(certificates_fit(&[0, 0, 5, 0, 0, 2, 9, 9]));
        assert!(certificates_fit(&[0, 0, 0]));
        assert!(!certificates_fit(&[0, 0, 5, 0xff, 0, 2, 9, 9]));
        assert!(!certificates_fit(&[0, 0, 6, 0, 0, 2, 9, 9]));
        assert!(!certificates_fit(&[]));
    }
}
