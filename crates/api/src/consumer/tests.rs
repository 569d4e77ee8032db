use serde_json::json;

use super::*;

#[test]
fn each_side_of_the_stats_comes_back_as_itself() {
    let outbound = json!({
        "timestamp": 1, "ssrc": 2, "rtxSsrc": null, "kind": "video", "mimeType": "video/VP8", "packetsLost": -1,
        "fractionLost": 0, "jitter": 0, "packetsDiscarded": 0, "packetsRetransmitted": 0, "packetsRepaired": 0,
        "nackCount": 0, "nackPacketCount": 0, "pliCount": 0, "firCount": 0, "packetCount": 9, "byteCount": 10,
        "bitrate": 11, "roundTripTime": 1.5, "rtxPacketsDiscarded": null, "score": 10,
    });
    let outbound: ConsumerStat = serde_json::from_value(outbound).unwrap();
    let mut inbound = serde_json::to_value(&outbound).unwrap();
    inbound["rid"] = json!(null);
    let inbound: ProducerStat = serde_json::from_value(inbound).unwrap();
    for stat in [ConsumerRtpStreamStat::Outbound(outbound), ConsumerRtpStreamStat::Inbound(inbound)] {
        let json = serde_json::to_string(&stat).unwrap();
        assert_eq!(serde_json::from_str::<ConsumerRtpStreamStat>(&json).unwrap(), stat);
    }
}
