//! All variants of each enum without fields, to be expanded behind [`values`](super::values).

macro_rules! variants {
    () => {
        pub(crate) fn protocols() -> Vec<Protocol> {
            vec![Protocol::Tcp, Protocol::Udp]
        }

        pub(crate) fn ice_roles() -> Vec<IceRole> {
            vec![IceRole::Controlled, IceRole::Controlling]
        }

        pub(crate) fn ice_candidate_types() -> Vec<IceCandidateType> {
            use IceCandidateType::*;
            vec![Host, Srflx, Prflx, Relay]
        }

        pub(crate) fn ice_candidate_tcp_types() -> Vec<IceCandidateTcpType> {
            vec![IceCandidateTcpType::Passive]
        }

        pub(crate) fn ice_states() -> Vec<IceState> {
            use IceState::*;
            vec![New, Connected, Completed, Disconnected]
        }

        pub(crate) fn dtls_states() -> Vec<DtlsState> {
            use DtlsState::*;
            vec![New, Connecting, Connected, Failed, Closed]
        }

        pub(crate) fn dtls_roles() -> Vec<DtlsRole> {
            vec![DtlsRole::Auto, DtlsRole::Client, DtlsRole::Server]
        }

        pub(crate) fn sctp_states() -> Vec<SctpState> {
            use SctpState::*;
            vec![New, Connecting, Connected, Failed, Closed]
        }

        pub(crate) fn trace_event_directions() -> Vec<TraceEventDirection> {
            vec![TraceEventDirection::In, TraceEventDirection::Out]
        }

        pub(crate) fn srtp_crypto_suites() -> Vec<SrtpCryptoSuite> {
            use SrtpCryptoSuite::*;
            vec![AeadAes256Gcm, AeadAes128Gcm, AesCm128HmacSha180, AesCm128HmacSha132]
        }

        pub(crate) fn sctp_zero_checksums() -> Vec<SctpZeroChecksum> {
            use SctpZeroChecksum::*;
            vec![SctpOverDtls, TrustedNetwork, None]
        }

        #[rustfmt::skip]
        pub(crate) fn scalability_modes() -> Vec<ScalabilityMode> {
            use ScalabilityMode::*;
            vec![
                ScalabilityMode::None, L1T2, L1T2h, L1T3, L1T3h,
                L2T1, L2T1h, L2T1Key, L2T2, L2T2h, L2T2Key, L2T2KeyShift, L2T3, L2T3h, L2T3Key, L2T3KeyShift,
                L3T1, L3T1h, L3T1Key, L3T2, L3T2h, L3T2Key, L3T2KeyShift, L3T3, L3T3h, L3T3Key, L3T3KeyShift,
                S2T1, S2T1h, S2T2, S2T2h, S2T3, S2T3h, S3T1, S3T1h, S3T2, S3T2h, S3T3, S3T3h,
            ]
        }

        pub(crate) fn media_kinds() -> Vec<MediaKind> {
            vec![MediaKind::Audio, MediaKind::Video]
        }

        #[rustfmt::skip]
        pub(crate) fn audio_mime_types() -> Vec<MimeTypeAudio> {
            use MimeTypeAudio::*;
            vec![Opus, MultiChannelOpus, Pcmu, Pcma, Isac, G722, Ilbc, Silk, Cn, TelephoneEvent, Rtx, Red]
        }

        pub(crate) fn video_mime_types() -> Vec<MimeTypeVideo> {
            use MimeTypeVideo::*;
            vec![Vp8, Vp9, H264, AV1, Rtx, Red, Ulpfec]
        }

        pub(crate) fn mime_types() -> Vec<MimeType> {
            let audio = audio_mime_types().into_iter().map(MimeType::Audio);
            audio.chain(video_mime_types().into_iter().map(MimeType::Video)).collect()
        }

        pub(crate) fn directions() -> Vec<RtpHeaderExtensionDirection> {
            use RtpHeaderExtensionDirection::*;
            vec![SendRecv, SendOnly, RecvOnly, Inactive]
        }

        #[rustfmt::skip]
        pub(crate) fn uris() -> Vec<RtpHeaderExtensionUri> {
            use RtpHeaderExtensionUri::*;
            vec![
                Mid, RtpStreamId, RepairRtpStreamId, AbsSendTime, TransportWideCcDraft01, SsrcAudioLevel,
                DependencyDescriptor, VideoOrientation, AbsCaptureTime, PlayoutDelay, MediasoupPacketId,
            ]
        }

        pub(crate) fn feedbacks() -> Vec<RtcpFeedback> {
            use RtcpFeedback::*;
            vec![Nack, NackPli, CcmFir, GoogRemb, TransportCc, Unsupported]
        }
    };
}
