//! RFC 5769's vectors, a second implementation as oracle, and each way to be malformed.

use std::net::SocketAddr;

use proptest::prelude::*;
use rtc_stun::attributes as oracle_attributes;
use rtc_stun::crypto::{RTCCryptoProvider, default_provider};
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::{FINGERPRINT, FingerprintAttr};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{self as oracle, BINDING_REQUEST, Getter, Setter};
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;

use super::*;

/// The password of RFC 5769 §2.1 to §2.3.
const RFC5769_PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

const PASSWORD: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
const TRANSACTION: TransactionId = TransactionId(*b"transaction1");

/// RFC 5769 §2.1: a check with padding of blanks, from an agent that says it is controlled.
const RFC5769_REQUEST: &str = "\
    000100582112a442b7e7a701bc34d686fa87dfae802200105354554e2074657374\
    20636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576\
    746a3a683676592020200008 00149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";

/// RFC 5769 §2.2.
const RFC5769_IPV4_RESPONSE: &str = "\
    0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

/// RFC 5769 §2.3.
const RFC5769_IPV6_RESPONSE: &str = "\
    010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41\
    80280004c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn provider() -> std::sync::Arc<dyn RTCCryptoProvider> {
    default_provider().expect("a crypto provider is built in")
}

/// A message of ours, from attributes.
fn written(class: Class, attributes: &[(AttributeType, &[u8])], password: Option<&[u8]>) -> Vec<u8> {
    let mut out = [0; 1024];
    let mut writer = Writer::new(class, BINDING, TRANSACTION, &mut out).unwrap();
    for &(kind, value) in attributes {
        writer.attribute(kind, value).unwrap();
    }
    let len = writer.finish(password).unwrap();
    out[..len].to_vec()
}

fn request(attributes: &[(AttributeType, &[u8])]) -> Vec<u8> {
    written(Class::Request, attributes, Some(PASSWORD))
}

/// `message` without its FINGERPRINT, and with these bytes behind it; the header's length is right.
fn with_tail(message: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut changed = message[..message.len() - 8].to_vec();
    changed.extend_from_slice(tail);
    let len = u16::try_from(changed.len() - 20).unwrap().to_be_bytes();
    changed[2..4].copy_from_slice(&len);
    changed
}

fn decoded(raw: &[u8]) -> oracle::Message {
    let mut message = oracle::Message { raw: raw.to_vec(), ..Default::default() };
    message.decode().expect("the oracle reads what we write");
    message
}

/// The oracle finds both checksums right.
fn assert_oracle_trusts(message: &mut oracle::Message, password: &[u8]) {
    FINGERPRINT.check(message).unwrap();
    MessageIntegrity::check(message, password, provider().crypto()).unwrap();
}

#[test]
fn the_request_of_rfc_5769() {
    let raw = bytes(RFC5769_REQUEST);
    let message = Message::parse(&raw).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, BINDING));
    assert_eq!(message.transaction().0.to_vec(), bytes("b7e7a701bc34d686fa87dfae"));
    assert_eq!(message.username(), Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.local_username_fragment(), Some(&b"evtj"[..]));
    assert_eq!(message.priority(), Some(0x6e00_01ff));
    assert_eq!(message.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(message.ice_controlling(), None);
    assert!(message.has_fingerprint());
    assert!(message.is_signed_with(RFC5769_PASSWORD));
    assert!(!message.is_signed_with(b"VOkJxbRl1RmTxUk/WvJxBT"));
}

#[test]
fn the_responses_of_rfc_5769() {
    for (hex, address) in [
        (RFC5769_IPV4_RESPONSE, "192.0.2.1:32853"),
        (RFC5769_IPV6_RESPONSE, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let raw = bytes(hex);
        let message = Message::parse(&raw).unwrap();
        assert_eq!(message.class(), Class::Success);
        assert_eq!(message.mapped_address(), Some(address.parse().unwrap()));
        assert!(message.has_fingerprint());
        assert!(message.is_signed_with(RFC5769_PASSWORD));
    }
}

#[test]
fn a_check_of_the_oracle_is_read() {
    let provider = provider();
    let mut check = oracle::Message::new();
    check.transaction_id = oracle::TransactionId(TRANSACTION.0);
    check.set_type(BINDING_REQUEST);
    check.write_header();
    check.add(oracle_attributes::ATTR_USERNAME, b"local:remote");
    check.add(oracle_attributes::ATTR_PRIORITY, &[1, 2, 3, 4]);
    check.add(oracle_attributes::ATTR_USE_CANDIDATE, &[]);
    check.add(oracle_attributes::ATTR_ICE_CONTROLLING, &[1, 2, 3, 4, 5, 6, 7, 8]);
    check.add(oracle_attributes::ATTR_NETWORK_COST, &[0, 1, 0, 10]);
    MessageIntegrity::new_raw_integrity_with_provider(PASSWORD, provider.crypto())
        .add_to(&mut check)
        .unwrap();
    FingerprintAttr.add_to(&mut check).unwrap();
    check.write_header();

    let message = Message::parse(&check.raw).unwrap();
    assert_eq!((message.class(), message.method()), (Class::Request, BINDING));
    assert_eq!(message.transaction(), TRANSACTION);
    assert_eq!(message.local_username_fragment(), Some(&b"local"[..]));
    assert_eq!(message.priority(), Some(0x0102_0304));
    assert!(message.use_candidate());
    assert_eq!(message.ice_controlling(), Some(0x0102_0304_0506_0708));
    assert_eq!(message.unknown_attributes().len(), 0);
    assert!(message.has_fingerprint());
    assert!(message.is_signed_with(PASSWORD));
}

#[test]
fn the_oracle_reads_a_success() {
    let raw = request(&[]);
    for (source, told) in [
        ("192.0.2.1:32853", "192.0.2.1:32853"),
        ("[2001:db8::7]:9", "[2001:db8::7]:9"),
        ("[::ffff:192.0.2.1]:7", "192.0.2.1:7"),
    ] {
        let mut out = [0; RESPONSE_LEN_MAX];
        let source: SocketAddr = source.parse().unwrap();
        let len = Message::parse(&raw).unwrap().write_success(source, PASSWORD, &mut out).unwrap();

        let mut message = decoded(&out[..len]);
        assert_eq!(message.typ, oracle::BINDING_SUCCESS);
        assert_eq!(message.transaction_id.0, TRANSACTION.0);
        assert_oracle_trusts(&mut message, PASSWORD);
        let mut address = XorMappedAddress::default();
        address.get_from(&message).unwrap();
        assert_eq!(SocketAddr::new(address.ip, address.port), told.parse::<SocketAddr>().unwrap());
        let ours = Message::parse(&out[..len]).unwrap();
        assert_eq!(ours.mapped_address(), Some(told.parse().unwrap()));
    }
}

#[test]
fn the_oracle_reads_refusals() {
    let raw = request(&[]);
    for (error, code, reason) in [
        (ErrorCode::BadRequest, 400, "Bad Request"),
        (ErrorCode::Unauthorized, 401, "Unauthorized"),
        (ErrorCode::UnknownAttribute, 420, "Unknown Attribute"),
        (ErrorCode::RoleConflict, 487, "Role Conflict"),
    ] {
        let mut out = [0; RESPONSE_LEN_MAX];
        let len = Message::parse(&raw).unwrap().write_error(error, None, &mut out).unwrap();

        let message = decoded(&out[..len]);
        assert_eq!(message.typ, oracle::BINDING_ERROR);
        FINGERPRINT.check(&message).unwrap();
        assert!(message.get(oracle_attributes::ATTR_MESSAGE_INTEGRITY).is_err(), "not asked for");
        let mut attribute = ErrorCodeAttribute::default();
        attribute.get_from(&message).unwrap();
        assert_eq!((attribute.code.0, attribute.reason.as_slice()), (code, reason.as_bytes()));
        assert_eq!(Message::parse(&out[..len]).unwrap().error_code(), Some(code));
    }
}

#[test]
fn a_refusal_names_what_is_unknown() {
    let many: Vec<(AttributeType, &[u8])> =
        (0x100..0x120).map(|kind| (AttributeType(kind), &b"x"[..])).collect();
    for (attributes, named) in [
        (&[(AttributeType(0x7001), &b""[..]), (AttributeType(0xc057), b"optional")][..], vec![0x7001]),
        (
            &[(AttributeType(0x7001), b""), (AttributeType(0x0002), b""), (AttributeType(0x7001), b"")],
            vec![0x7001, 2],
        ),
        (&many, (0x100..0x108).collect()),
    ] {
        let raw = request(attributes);
        let message = Message::parse(&raw).unwrap();
        assert!(message.unknown_attributes().map(|kind| kind.0).eq(named.iter().copied()));

        let mut out = [0; RESPONSE_LEN_MAX];
        let len = message.write_error(ErrorCode::UnknownAttribute, Some(PASSWORD), &mut out).unwrap();
        let mut response = decoded(&out[..len]);
        assert_oracle_trusts(&mut response, PASSWORD);
        let mut unknown = UnknownAttributes(vec![]);
        unknown.get_from(&response).unwrap();
        assert!(unknown.0.iter().map(|kind| kind.0).eq(named));
    }
}

#[test]
fn the_longest_response_fits() {
    let many: Vec<(AttributeType, &[u8])> =
        (0x100..0x120).map(|kind| (AttributeType(kind), &b""[..])).collect();
    let raw = request(&many);
    let message = Message::parse(&raw).unwrap();
    let mut out = [0; RESPONSE_LEN_MAX];
    let len = message.write_error(ErrorCode::UnknownAttribute, Some(PASSWORD), &mut out).unwrap();
    assert_eq!(len, RESPONSE_LEN_MAX, "the bound is tight");
    let mut short = [0; RESPONSE_LEN_MAX - 1];
    assert_eq!(message.write_error(ErrorCode::UnknownAttribute, Some(PASSWORD), &mut short), Err(NoRoom));
    for room in 0..len {
        assert_eq!(
            message.write_error(ErrorCode::UnknownAttribute, Some(PASSWORD), &mut out[..room]),
            Err(NoRoom)
        );
    }
}

#[test]
fn nominations_have_two_numbers() {
    for kind in [AttributeType(0x0030), AttributeType(0xc001)] {
        let raw = request(&[(kind, &[0, 0, 1, 2])]);
        let message = Message::parse(&raw).unwrap();
        assert_eq!(message.nomination(), Some(0x102));
        assert_eq!(message.unknown_attributes().len(), 0);
    }
}

#[test]
fn the_first_of_two_counts() {
    let raw = request(&[
        (AttributeType::USERNAME, b"a:b"),
        (AttributeType::USERNAME, b"c:d"),
        (AttributeType::PRIORITY, &[0, 0, 0, 1]),
        (AttributeType::PRIORITY, &[0, 0, 0, 2]),
    ]);
    let message = Message::parse(&raw).unwrap();
    assert_eq!(message.username(), Some(&b"a:b"[..]));
    assert_eq!(message.priority(), Some(1));
}

#[test]
fn a_username_without_a_colon_is_for_nobody() {
    let raw = request(&[(AttributeType::USERNAME, b"somebody")]);
    assert_eq!(Message::parse(&raw).unwrap().local_username_fragment(), None);
}

#[test]
fn what_is_not_signed_is_signed_with_nothing() {
    let raw = written(Class::Request, &[], None);
    let message = Message::parse(&raw).unwrap();
    assert!(!message.is_signed());
    assert!(!message.is_signed_with(b""));
}

#[test]
fn what_follows_the_integrity_is_ignored() {
    let smuggled = with_tail(&request(&[]), &bytes("0025000000060003 613a6200"));
    let message = Message::parse(&smuggled).unwrap();
    assert!(!message.use_candidate());
    assert_eq!(message.username(), None);
    assert!(!message.has_fingerprint());
    assert!(message.is_signed_with(PASSWORD), "the length that was signed is not the header's");
}

#[test]
fn nothing_follows_the_fingerprint() {
    let mut raw = request(&[]);
    let mut longer = raw.clone();
    longer.extend_from_slice(&bytes("00250000"));
    let len = u16::try_from(longer.len() - 20).unwrap().to_be_bytes();
    longer[2..4].copy_from_slice(&len);
    // The checksum counts the length field, so it has to be made anew to get this far.
    let before = raw.len() - 8;
    raw[2..4].copy_from_slice(&len);
    let fingerprint = super::checksum::fingerprint(&raw[..before]).to_be_bytes();
    longer[before + 4..before + 8].copy_from_slice(&fingerprint);
    assert_eq!(Message::parse(&longer).unwrap_err(), ParseError::AfterFingerprint);
}

#[test]
fn malformed_messages_are_refused() {
    let good = request(&[]);
    let changed = |index: usize, value: u8| {
        let mut raw = good.clone();
        raw[index] = value;
        raw
    };
    let malformed =
        |kind: AttributeType, value: &[u8]| (request(&[(kind, value)]), ParseError::Malformed(kind));
    let cases = [
        (vec![], ParseError::TooShort),
        (good[..19].to_vec(), ParseError::TooShort),
        (changed(0, 0x80), ParseError::NotStun),
        (changed(4, 0x20), ParseError::NotStun),
        (changed(3, 24), ParseError::WrongLength),
        (good[..good.len() - 4].to_vec(), ParseError::WrongLength),
        (with_tail(&good, &[1, 2, 3]), ParseError::WrongLength),
        (with_tail(&good, &[0x80, 0x22, 0, 1]), ParseError::Truncated),
        (with_tail(&good, &[0x80, 0x22, 0xff, 0xff, 1, 2, 3, 4]), ParseError::Truncated),
        (changed(good.len() - 1, 0), ParseError::WrongFingerprint),
        (changed(10, 0), ParseError::WrongFingerprint),
        malformed(AttributeType::PRIORITY, &[1, 2, 3]),
        malformed(AttributeType::NOMINATION, &[]),
        malformed(AttributeType::GOOG_NOMINATION, &[1; 5]),
        malformed(AttributeType::USE_CANDIDATE, &[1]),
        malformed(AttributeType::ICE_CONTROLLED, &[1; 4]),
        malformed(AttributeType::ICE_CONTROLLING, &[1; 12]),
        malformed(AttributeType::MESSAGE_INTEGRITY, &[1; 32]),
        malformed(AttributeType::USERNAME, &[b'a'; 509]),
        malformed(AttributeType::XOR_MAPPED_ADDRESS, &[0, 1, 2, 3, 4, 5, 6]),
        malformed(AttributeType::XOR_MAPPED_ADDRESS, &[0, 3, 2, 3, 4, 5, 6, 7]),
        malformed(AttributeType::MAPPED_ADDRESS, &[0, 2, 2, 3, 4, 5, 6, 7]),
        malformed(AttributeType::ERROR_CODE, &[0, 0, 2, 0]),
        malformed(AttributeType::ERROR_CODE, &[0, 0, 4, 100]),
        malformed(AttributeType::ERROR_CODE, &[0, 0, 4]),
    ];
    for (raw, error) in cases {
        assert_eq!(Message::parse(&raw).unwrap_err(), error, "{raw:02x?}");
    }
}

#[test]
fn each_flipped_bit_is_noticed() {
    let good = request(&[(AttributeType::USERNAME, b"a:b"), (AttributeType::PRIORITY, &[1, 2, 3, 4])]);
    for bit in 0..good.len() * 8 {
        let mut raw = good.clone();
        raw[bit / 8] ^= 1 << (bit % 8);
        // One flip turns FINGERPRINT into an attribute that nobody knows, behind MESSAGE-INTEGRITY.
        let trusted = Message::parse(&raw).is_ok_and(|message| message.has_fingerprint());
        assert!(!trusted, "bit {bit}");
    }
}

#[test]
fn types_have_names() {
    assert_eq!(AttributeType::USE_CANDIDATE.to_string(), "USE-CANDIDATE");
    assert_eq!(AttributeType(0xc057).to_string(), "0xc057");
    assert_eq!(ParseError::Malformed(AttributeType::PRIORITY).to_string(), "malformed PRIORITY");
}

proptest! {
    /// Whatever attributes a message has, both codecs find the same in it, and the same checksums.
    #[test]
    fn the_oracle_agrees(
        attributes in prop::collection::vec((0x8100_u16..0x81ff, prop::collection::vec(any::<u8>(), 0..20)), 0..8),
    ) {
        let ours: Vec<_> =
            attributes.iter().map(|(kind, value)| (AttributeType(*kind), value.as_slice())).collect();
        let raw = request(&ours);
        let mut theirs = decoded(&raw);
        assert_oracle_trusts(&mut theirs, PASSWORD);
        prop_assert_eq!(theirs.attributes.0.len(), attributes.len() + 2);
        for (attribute, (kind, value)) in theirs.attributes.0.iter().zip(&attributes) {
            prop_assert_eq!(attribute.typ.0, *kind);
            prop_assert_eq!(&attribute.value, value);
        }
        prop_assert!(Message::parse(&raw).unwrap().is_signed_with(PASSWORD));
    }

    /// No bytes bring the reader down, behind a good header either.
    #[test]
    fn any_bytes_can_be_read(mut raw in prop::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
        if header && raw.len() >= 20 {
            raw.truncate(raw.len() / 4 * 4);
            let len = u16::try_from(raw.len() - 20).unwrap().to_be_bytes();
            raw[..8].copy_from_slice(&[0, 1, len[0], len[1], 0x21, 0x12, 0xa4, 0x42]);
        }
        if let Ok(message) = Message::parse(&raw) {
            prop_assert!(!message.is_signed_with(PASSWORD));
        }
    }

    #[test]
    fn addresses_survive(ip in any::<std::net::IpAddr>(), port in any::<u16>(), id in any::<[u8; 12]>()) {
        let mut out = [0; 128];
        let mut writer = Writer::new(Class::Success, BINDING, TransactionId(id), &mut out).unwrap();
        writer.xor_mapped_address(SocketAddr::new(ip, port)).unwrap();
        let len = writer.finish(None).unwrap();
        let message = Message::parse(&out[..len]).unwrap();
        prop_assert_eq!(message.mapped_address(), Some(SocketAddr::new(ip.to_canonical(), port)));
    }
}
