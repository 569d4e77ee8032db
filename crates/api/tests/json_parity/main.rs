//! Every value of the crate `mediasoup-types` has the same JSON here, and the other way round.
//!
//! The generators are one macro, expanded once over each crate. That alone proves that names, fields and their types
//! are the same; the tests prove that the JSON is.

#![expect(clippy::unwrap_used, reason = "a test whose values don't parse has failed")]

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, to_value};

#[macro_use]
mod values;
#[macro_use]
mod variants;

mod ours {
    use mafalda_api::types as source;
    values!();
    variants!();
}

mod theirs {
    use mediasoup_types as source;
    values!();
    variants!();
}

/// JSON of `value`, which must survive a way through the other crate's type unchanged.
fn through<From, Through>(value: &From) -> Value
where
    From: Serialize + DeserializeOwned,
    Through: Serialize + DeserializeOwned,
{
    let json = to_value(value).unwrap();
    let there: Through = from_value(json.clone()).unwrap();
    let back = to_value(there).unwrap();
    assert_eq!(json, back);
    let again: From = from_value(back).unwrap();
    assert_eq!(to_value(again).unwrap(), json);
    json
}

macro_rules! same_json {
    ($($test:ident: $module:ident::$name:ident,)+) => {
        $(
            #[test]
            fn $test() {
                use mafalda_api::types::$module::$name as Ours;
                use mediasoup_types::$module::$name as Theirs;

                proptest!(|(value in theirs::$test())| { through::<Theirs, Ours>(&value); });
                proptest!(|(value in ours::$test())| { through::<Ours, Theirs>(&value); });
            }
        )+
    };
}

same_json! {
    listen_info: data_structures::ListenInfo,
    ice_parameters: data_structures::IceParameters,
    ice_candidate: data_structures::IceCandidate,
    transport_tuple: data_structures::TransportTuple,
    dtls_parameters: data_structures::DtlsParameters,
    rtp_packet_trace_info: data_structures::RtpPacketTraceInfo,
    ssrc_trace_info: data_structures::SsrcTraceInfo,
    bwe_trace_info: data_structures::BweTraceInfo,
    sr_trace_info: data_structures::SrTraceInfo,
    srtp_parameters: srtp_parameters::SrtpParameters,
    sctp_parameters: sctp_parameters::SctpParameters,
    sctp_negotiated_capabilities: sctp_parameters::SctpNegotiatedCapabilities,
    sctp_stream_parameters: sctp_parameters::SctpStreamParameters,
    scalability_mode: scalability_modes::ScalabilityMode,
    rtp_capabilities: rtp_parameters::RtpCapabilities,
    rtp_capabilities_finalized: rtp_parameters::RtpCapabilitiesFinalized,
    rtp_parameters: rtp_parameters::RtpParameters,
}

/// Every variant of every enum without fields, one by one and in the same order.
#[test]
fn plain_enums() {
    macro_rules! same_variants {
        ($($list:ident: $module:ident::$name:ident,)+) => {
            $({
                use mafalda_api::types::$module::$name as Ours;
                use mediasoup_types::$module::$name as Theirs;

                assert_eq!(ours::$list().len(), theirs::$list().len());
                for (our, their) in ours::$list().iter().zip(&theirs::$list()) {
                    let json = through::<Theirs, Ours>(their);
                    assert_eq!(through::<Ours, Theirs>(our), json);
                    assert_eq!(format!("{our:?}"), format!("{their:?}"));
                }
            })+
        };
    }

    same_variants! {
        protocols: data_structures::Protocol,
        ice_roles: data_structures::IceRole,
        ice_candidate_types: data_structures::IceCandidateType,
        ice_candidate_tcp_types: data_structures::IceCandidateTcpType,
        ice_states: data_structures::IceState,
        dtls_states: data_structures::DtlsState,
        dtls_roles: data_structures::DtlsRole,
        sctp_states: data_structures::SctpState,
        trace_event_directions: data_structures::TraceEventDirection,
        srtp_crypto_suites: srtp_parameters::SrtpCryptoSuite,
        sctp_zero_checksums: sctp_parameters::SctpZeroChecksum,
        scalability_modes: scalability_modes::ScalabilityMode,
        media_kinds: rtp_parameters::MediaKind,
        mime_types: rtp_parameters::MimeType,
        audio_mime_types: rtp_parameters::MimeTypeAudio,
        video_mime_types: rtp_parameters::MimeTypeVideo,
        directions: rtp_parameters::RtpHeaderExtensionDirection,
        uris: rtp_parameters::RtpHeaderExtensionUri,
        feedbacks: rtp_parameters::RtcpFeedback,
    }
}

#[test]
fn defaults_are_the_same() {
    macro_rules! same_default {
        ($($module:ident::$name:ident,)+) => {
            $(assert_eq!(
                to_value(mafalda_api::types::$module::$name::default()).unwrap(),
                to_value(mediasoup_types::$module::$name::default()).unwrap(),
            );)+
        };
    }

    same_default! {
        data_structures::SocketFlags,
        data_structures::DtlsRole,
        srtp_parameters::SrtpCryptoSuite,
        scalability_modes::ScalabilityMode,
        rtp_parameters::RtpCapabilities,
        rtp_parameters::RtpCapabilitiesFinalized,
        rtp_parameters::RtpHeaderExtensionDirection,
        rtp_parameters::RtpParameters,
        rtp_parameters::RtpCodecParametersParameters,
        rtp_parameters::RtpEncodingParameters,
        rtp_parameters::RtcpParameters,
    }
}

#[test]
fn every_fingerprint_has_the_same_text() {
    use mafalda_api::types::data_structures::DtlsFingerprint as Ours;
    use mediasoup_types::data_structures::DtlsFingerprint as Theirs;

    proptest!(|(their in theirs::dtls_fingerprint())| {
        let our: Ours = from_value(through::<Theirs, Ours>(&their)).unwrap();
        prop_assert_eq!(our.value_string(), their.value_string());
        prop_assert_eq!(format!("{our:?}"), format!("{their:?}"));
    });
}

/// Text that looks like a scalability mode means the same to both, or nothing to both.
#[test]
fn texts_near_scalability_modes() {
    use mafalda_api::types::scalability_modes::ScalabilityMode as Ours;
    use mediasoup_types::scalability_modes::ScalabilityMode as Theirs;

    proptest!(|(text in "[LSx]?[0-9]{0,3}T?[0-9]{0,3}(h|_KEY|_KEY_SHIFT|_|é)?")| {
        let our = text.parse::<Ours>().ok();
        let their = text.parse::<Theirs>().ok();
        prop_assert_eq!(format!("{:?}", our), format!("{:?}", their));
        let layers = our.map(|mode| (mode.spatial_layers(), mode.temporal_layers(), mode.ksvc()));
        prop_assert_eq!(layers, their.map(|mode| (mode.spatial_layers(), mode.temporal_layers(), mode.ksvc())));
    });
}

/// Text that the other crate takes for a MIME type means the same here.
#[test]
fn mime_types_in_any_case() {
    use mafalda_api::types::rtp_parameters::MimeTypeVideo as Ours;
    use mediasoup_types::rtp_parameters::MimeTypeVideo as Theirs;

    proptest!(|(their in prop::sample::select(theirs::video_mime_types()), upper in any::<u32>())| {
        let flip = |(i, c): (usize, char)| {
            if upper >> i & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
        };
        let text: String = their.as_str().chars().enumerate().map(flip).collect();
        prop_assert_eq!(text.parse::<Theirs>(), Ok(their));
        prop_assert_eq!(text.parse::<Ours>().map(|our| our.as_str()), Ok(their.as_str()));
    });
}

/// What the other crate derives is derived here.
#[test]
fn derives() {
    macro_rules! derives {
        ($($name:ident: $($bound:path)|+,)+) => {
            mod assertions {
                use super::*;
                use std::hash::Hash;

                $(
                    #[expect(non_snake_case, reason = "named after the type")]
                    fn $name<T: $($bound +)+>() {}
                )+

                pub(super) fn all() {
                    $($name::<super::ours::$name>(); $name::<super::theirs::$name>();)+
                }
            }
        };
    }

    derives! {
        AppData: Debug | Clone | Default,
        ListenInfo: Debug | Clone | Eq | Hash,
        SocketFlags: Debug | Copy | Ord | Hash | Default,
        IceParameters: Debug | Clone | Ord | Hash,
        IceCandidate: Debug | Clone | Ord | Hash,
        IceState: Debug | Copy | Ord | Hash,
        TransportTuple: Debug | Clone | Ord | Hash,
        DtlsFingerprint: Debug | Copy | PartialOrd | Eq,
        DtlsParameters: Debug | Clone | PartialOrd | Eq,
        OwnedWebRtcMessage: Debug | Clone,
        SrtpParameters: Debug | Clone | Ord | Hash,
        SrtpCryptoSuite: Debug | Copy | Ord | Hash | Default,
        SctpParameters: Debug | Copy | Ord | Hash,
        SctpStreamParameters: Debug | Copy | Ord | Hash,
        ScalabilityMode: Debug | Clone | Ord | Hash | Default | std::fmt::Display | std::str::FromStr,
        MimeType: Debug | Copy | Ord | Hash | std::str::FromStr,
        MimeTypeAudio: Debug | Copy | Ord | Hash | std::str::FromStr,
        MimeTypeVideo: Debug | Copy | Ord | Hash | std::str::FromStr,
        MediaKind: Debug | Copy | Ord | Hash,
        RtcpFeedback: Debug | Copy | Ord | Hash,
        RtpHeaderExtension: Debug | Copy | Ord | Hash,
        RtpHeaderExtensionUri: Debug | Copy | Ord | Hash | std::str::FromStr,
        RtpHeaderExtensionParameters: Debug | Clone | Ord | Hash,
        RtpCodecCapability: Debug | Clone | Ord | Hash,
        RtpCodecCapabilityFinalized: Debug | Clone | Ord | Hash,
        RtpCapabilities: Debug | Clone | Ord | Hash | Default,
        RtpCapabilitiesFinalized: Debug | Clone | Ord | Hash | Default,
        RtpCodecParameters: Debug | Clone | Ord | Hash,
        RtpCodecParametersParameters: Debug | Clone | Ord | Hash | Default | IntoIterator,
        RtpCodecParametersParametersValue: Debug | Clone | Ord | Hash,
        RtpEncodingParameters: Debug | Clone | PartialOrd | Default,
        RtpParameters: Debug | Clone | PartialOrd | Default,
        RtcpParameters: Debug | Clone | Ord | Hash | Default,
    }
    assertions::all();
}
