//! Generators of values, to be expanded in a module where `source` is one of the two crates' types.

macro_rules! values {
    () => {
        pub(crate) use self::source::data_structures::*;
        pub(crate) use self::source::rtp_parameters::*;
        pub(crate) use self::source::scalability_modes::*;
        pub(crate) use self::source::sctp_parameters::*;
        pub(crate) use self::source::srtp_parameters::*;

        use std::net::IpAddr;
        use std::num::{NonZeroU8, NonZeroU32};

        use proptest::collection::vec;
        use proptest::option::of;
        use proptest::prelude::*;
        use proptest::sample::select;

        fn text() -> impl Strategy<Value = String> {
            ".{0,12}"
        }

        prop_compose! {
            pub(crate) fn socket_flags()(ipv6_only: bool, udp_reuse_port: bool) -> SocketFlags {
                SocketFlags { ipv6_only, udp_reuse_port }
            }
        }

        prop_compose! {
            pub(crate) fn listen_info()(
                protocol in select(protocols()),
                ip: IpAddr,
                announced_address in of(text()),
                expose_internal_ip: bool,
                port: Option<u16>,
                range: Option<(u16, u16)>,
                flags in of(socket_flags()),
                send_buffer_size: Option<u32>,
                recv_buffer_size: Option<u32>,
            ) -> ListenInfo {
                ListenInfo {
                    protocol,
                    ip,
                    announced_address,
                    expose_internal_ip,
                    port,
                    port_range: range.map(|(first, last)| first..=last),
                    flags,
                    send_buffer_size,
                    recv_buffer_size,
                }
            }
        }

        prop_compose! {
            pub(crate) fn ice_parameters()(
                username_fragment in text(),
                password in text(),
                ice_lite: Option<bool>,
            ) -> IceParameters {
                IceParameters { username_fragment, password, ice_lite }
            }
        }

        prop_compose! {
            pub(crate) fn ice_candidate()(
                foundation in text(),
                priority: u32,
                address in text(),
                protocol in select(protocols()),
                port: u16,
                r#type in select(ice_candidate_types()),
                tcp_type in of(select(ice_candidate_tcp_types())),
            ) -> IceCandidate {
                IceCandidate { foundation, priority, address, protocol, port, r#type, tcp_type }
            }
        }

        prop_compose! {
            pub(crate) fn transport_tuple()(
                local_address in text(),
                local_port: u16,
                remote: Option<(IpAddr, u16)>,
                protocol in select(protocols()),
            ) -> TransportTuple {
                match remote {
                    Some((remote_ip, remote_port)) => {
                        TransportTuple::WithRemote { local_address, local_port, remote_ip, remote_port, protocol }
                    }
                    None => TransportTuple::LocalOnly { local_address, local_port, protocol },
                }
            }
        }

        prop_compose! {
            pub(crate) fn dtls_fingerprint()(
                algorithm in 0..5_u8,
                bytes in vec(any::<u8>(), 64),
            ) -> DtlsFingerprint {
                match algorithm {
                    0 => DtlsFingerprint::Sha1 { value: bytes[..20].try_into().unwrap() },
                    1 => DtlsFingerprint::Sha224 { value: bytes[..28].try_into().unwrap() },
                    2 => DtlsFingerprint::Sha256 { value: bytes[..32].try_into().unwrap() },
                    3 => DtlsFingerprint::Sha384 { value: bytes[..48].try_into().unwrap() },
                    _ => DtlsFingerprint::Sha512 { value: bytes[..64].try_into().unwrap() },
                }
            }
        }

        prop_compose! {
            pub(crate) fn dtls_parameters()(
                role in select(dtls_roles()),
                fingerprints in vec(dtls_fingerprint(), 0..4),
            ) -> DtlsParameters {
                DtlsParameters { role, fingerprints }
            }
        }

        prop_compose! {
            pub(crate) fn rtp_packet_trace_info()(
                (payload_type, sequence_number, timestamp, marker, ssrc) in any::<(u8, u16, u32, bool, u32)>(),
                (is_key_frame, size, payload_size) in any::<(bool, u32, u32)>(),
                (spatial_layer, temporal_layer) in any::<(u8, u8)>(),
                mid in of(text()),
                rid in of(text()),
                rrid in of(text()),
                wide_sequence_number: Option<u16>,
                is_rtx: bool,
            ) -> RtpPacketTraceInfo {
                RtpPacketTraceInfo {
                    payload_type,
                    sequence_number,
                    timestamp,
                    marker,
                    ssrc,
                    is_key_frame,
                    size,
                    payload_size,
                    spatial_layer,
                    temporal_layer,
                    mid,
                    rid,
                    rrid,
                    wide_sequence_number,
                    is_rtx,
                }
            }
        }

        prop_compose! {
            pub(crate) fn ssrc_trace_info()(ssrc: u32) -> SsrcTraceInfo {
                SsrcTraceInfo { ssrc }
            }
        }

        prop_compose! {
            pub(crate) fn bwe_trace_info()(
                desired_bitrate: u64,
                min_bitrate: u64,
                max_bitrate: u64,
                available_bitrate: u64,
            ) -> BweTraceInfo {
                BweTraceInfo { desired_bitrate, min_bitrate, max_bitrate, available_bitrate }
            }
        }

        prop_compose! {
            pub(crate) fn sr_trace_info()(
                ssrc: u32,
                ntp_sec: u32,
                ntp_frac: u32,
                rtp_ts: u32,
                packet_count: u32,
                octet_count: u32,
            ) -> SrTraceInfo {
                SrTraceInfo { ssrc, ntp_sec, ntp_frac, rtp_ts, packet_count, octet_count }
            }
        }

        prop_compose! {
            pub(crate) fn srtp_parameters()(
                crypto_suite in select(srtp_crypto_suites()),
                key_base64 in text(),
            ) -> SrtpParameters {
                SrtpParameters { crypto_suite, key_base64 }
            }
        }

        prop_compose! {
            pub(crate) fn sctp_parameters()(
                (port, is_data_channel, os, mis) in any::<(u16, bool, u16, u16)>(),
                max_send_message_size: u32,
                max_receive_message_size: u32,
                send_buffer_size: u32,
                per_stream_send_queue_limit: u32,
                max_receiver_window_buffer_size: u32,
                max_message_size: u32,
            ) -> SctpParameters {
                SctpParameters {
                    port,
                    max_send_message_size,
                    max_receive_message_size,
                    send_buffer_size,
                    per_stream_send_queue_limit,
                    max_receiver_window_buffer_size,
                    is_data_channel,
                    os,
                    mis,
                    max_message_size,
                }
            }
        }

        prop_compose! {
            pub(crate) fn sctp_negotiated_capabilities()(
                negotiated_max_outbound_streams: u16,
                negotiated_max_inbound_streams: u16,
            ) -> SctpNegotiatedCapabilities {
                SctpNegotiatedCapabilities { negotiated_max_outbound_streams, negotiated_max_inbound_streams }
            }
        }

        pub(crate) fn sctp_stream_parameters() -> impl Strategy<Value = SctpStreamParameters> {
            any::<(u8, u16, u16)>().prop_map(|(reliability, stream_id, limit)| match reliability % 3 {
                0 => SctpStreamParameters::new_ordered(stream_id),
                1 => SctpStreamParameters::new_unordered_with_life_time(stream_id, limit),
                _ => SctpStreamParameters::new_unordered_with_retransmits(stream_id, limit),
            })
        }

        pub(crate) fn scalability_mode() -> impl Strategy<Value = ScalabilityMode> {
            let custom = "[LS][1-9][0-9]?T[1-9][0-9]?(_KEY)?[a-z]{0,3}";
            prop_oneof![
                select(scalability_modes()),
                custom.prop_map(|text| text.parse::<ScalabilityMode>().unwrap()),
            ]
        }

        fn codec_parameters() -> impl Strategy<Value = RtpCodecParametersParameters> {
            let value = prop_oneof![
                text().prop_map(RtpCodecParametersParametersValue::from),
                any::<u32>().prop_map(RtpCodecParametersParametersValue::from),
            ];
            vec((text(), value), 0..4).prop_map(|parameters| parameters.into_iter().collect())
        }

        fn rtcp_feedback() -> impl Strategy<Value = Vec<RtcpFeedback>> {
            vec(select(feedbacks()), 0..4)
        }

        prop_compose! {
            fn codec_capability()(
                mime_type in select(mime_types()),
                preferred_payload_type: Option<u8>,
                clock_rate: NonZeroU32,
                channels: NonZeroU8,
                parameters in codec_parameters(),
                rtcp_feedback in rtcp_feedback(),
            ) -> RtpCodecCapability {
                match mime_type {
                    MimeType::Audio(mime_type) => RtpCodecCapability::Audio {
                        mime_type,
                        preferred_payload_type,
                        clock_rate,
                        channels,
                        parameters,
                        rtcp_feedback,
                    },
                    MimeType::Video(mime_type) => RtpCodecCapability::Video {
                        mime_type,
                        preferred_payload_type,
                        clock_rate,
                        parameters,
                        rtcp_feedback,
                    },
                }
            }
        }

        prop_compose! {
            fn codec_capability_finalized()(
                mime_type in select(mime_types()),
                preferred_payload_type: u8,
                clock_rate: NonZeroU32,
                channels: NonZeroU8,
                parameters in codec_parameters(),
                rtcp_feedback in rtcp_feedback(),
            ) -> RtpCodecCapabilityFinalized {
                match mime_type {
                    MimeType::Audio(mime_type) => RtpCodecCapabilityFinalized::Audio {
                        mime_type,
                        preferred_payload_type,
                        clock_rate,
                        channels,
                        parameters,
                        rtcp_feedback,
                    },
                    MimeType::Video(mime_type) => RtpCodecCapabilityFinalized::Video {
                        mime_type,
                        preferred_payload_type,
                        clock_rate,
                        parameters,
                        rtcp_feedback,
                    },
                }
            }
        }

        prop_compose! {
            fn codec()(
                mime_type in select(mime_types()),
                payload_type: u8,
                clock_rate: NonZeroU32,
                channels: NonZeroU8,
                parameters in codec_parameters(),
                rtcp_feedback in rtcp_feedback(),
            ) -> RtpCodecParameters {
                match mime_type {
                    MimeType::Audio(mime_type) => RtpCodecParameters::Audio {
                        mime_type,
                        payload_type,
                        clock_rate,
                        channels,
                        parameters,
                        rtcp_feedback,
                    },
                    MimeType::Video(mime_type) => RtpCodecParameters::Video {
                        mime_type,
                        payload_type,
                        clock_rate,
                        parameters,
                        rtcp_feedback,
                    },
                }
            }
        }

        prop_compose! {
            fn header_extension()(
                kind in select(media_kinds()),
                uri in select(uris()),
                preferred_id: u16,
                preferred_encrypt: bool,
                direction in select(directions()),
            ) -> RtpHeaderExtension {
                RtpHeaderExtension { kind, uri, preferred_id, preferred_encrypt, direction }
            }
        }

        prop_compose! {
            fn header_extension_parameters()(
                uri in select(uris()),
                id: u16,
                encrypt: bool,
            ) -> RtpHeaderExtensionParameters {
                RtpHeaderExtensionParameters { uri, id, encrypt }
            }
        }

        prop_compose! {
            fn encoding()(
                ssrc: Option<u32>,
                rid in of(text()),
                codec_payload_type: Option<u8>,
                rtx_ssrc: Option<u32>,
                dtx: Option<bool>,
                scalability_mode in scalability_mode(),
                max_bitrate: Option<u64>,
            ) -> RtpEncodingParameters {
                RtpEncodingParameters {
                    ssrc,
                    rid,
                    codec_payload_type,
                    rtx: rtx_ssrc.map(|ssrc| RtpEncodingParametersRtx { ssrc }),
                    dtx,
                    scalability_mode,
                    max_bitrate,
                }
            }
        }

        prop_compose! {
            pub(crate) fn rtp_capabilities()(
                codecs in vec(codec_capability(), 0..4),
                header_extensions in vec(header_extension(), 0..4),
            ) -> RtpCapabilities {
                RtpCapabilities { codecs, header_extensions }
            }
        }

        prop_compose! {
            pub(crate) fn rtp_capabilities_finalized()(
                codecs in vec(codec_capability_finalized(), 0..4),
                header_extensions in vec(header_extension(), 0..4),
            ) -> RtpCapabilitiesFinalized {
                RtpCapabilitiesFinalized { codecs, header_extensions }
            }
        }

        prop_compose! {
            pub(crate) fn rtp_parameters()(
                mid in of(text()),
                codecs in vec(codec(), 0..4),
                header_extensions in vec(header_extension_parameters(), 0..4),
                encodings in vec(encoding(), 0..4),
                cname in of(text()),
                reduced_size: bool,
                msid in of(text()),
            ) -> RtpParameters {
                let rtcp = RtcpParameters { cname, reduced_size };
                RtpParameters { mid, codecs, header_extensions, encodings, rtcp, msid }
            }
        }
    };
}
