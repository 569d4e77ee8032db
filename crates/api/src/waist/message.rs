//! Messages of data channels on their way through a Router, and which DataConsumers they are for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::types::data_structures::WebRtcMessage;

/// A message as SCTP carries it (RFC 8831 §6.6). Everybody who gets it shares its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataMessage {
    /// The payload protocol identifier: text or bytes, empty or not.
    pub ppid: u32,
    /// Its bytes; one zero byte where it is empty.
    pub payload: Arc<[u8]>,
}

impl DataMessage {
    /// The message as applications know it; `None` for one that is not of WebRTC.
    #[must_use]
    pub fn to_webrtc(&self) -> Option<WebRtcMessage<'_>> {
        WebRtcMessage::new(self.ppid, Cow::Borrowed(&self.payload)).ok()
    }
}

impl From<WebRtcMessage<'_>> for DataMessage {
    fn from(message: WebRtcMessage<'_>) -> Self {
        let (ppid, payload) = message.into_ppid_and_payload();
        Self { ppid, payload: payload.into() }
    }
}

/// Which of a DataProducer's DataConsumers a message is for; the default is all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audience {
    /// Those that have subscribed to one of these; all, where there are none.
    pub subchannels: Vec<u16>,
    /// Of them only those that have subscribed to this one.
    pub required: Option<u16>,
    /// Of them only those that have not subscribed to this one.
    pub ignored: Option<u16>,
}

impl Audience {
    /// Whether a message is for who has subscribed to these.
    #[must_use]
    pub fn includes(&self, subscribed: &BTreeSet<u16>) -> bool {
        let has = |subchannel: u16| subscribed.contains(&subchannel);
        let shares = self.subchannels.is_empty() || self.subchannels.iter().any(|it| has(*it));
        shares && self.required.is_none_or(has) && !self.ignored.is_some_and(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(subchannels: &[u16], required: Option<u16>, ignored: Option<u16>) -> Audience {
        Audience { subchannels: subchannels.into(), required, ignored }
    }

    #[test]
    fn a_message_is_for_who_shares_a_subchannel_has_the_required_and_not_the_ignored_one() {
        let subscribed = BTreeSet::from([1, 2, 666]);
        for (audience, includes) in [
            (audience(&[], None, None), true),
            (audience(&[2, 7], None, None), true),
            (audience(&[7, 8], None, None), false),
            (audience(&[], Some(666), None), true),
            (audience(&[], Some(7), None), false),
            (audience(&[7], Some(666), None), false),
            (audience(&[1], Some(7), None), false),
            (audience(&[], None, Some(1)), false),
            (audience(&[], None, Some(7)), true),
            (audience(&[1], Some(2), Some(666)), false),
            (audience(&[1], Some(2), Some(7)), true),
        ] {
            assert_eq!(audience.includes(&subscribed), includes, "{audience:?}");
        }
        let nothing = BTreeSet::new();
        assert!(Audience::default().includes(&nothing) && !audience(&[1], None, None).includes(&nothing));
    }

    #[test]
    fn messages_survive_their_way() {
        for message in [
            WebRtcMessage::String(b"hi".as_slice().into()),
            WebRtcMessage::Binary(b"\0".as_slice().into()),
            WebRtcMessage::EmptyString,
            WebRtcMessage::EmptyBinary,
        ] {
            assert_eq!(DataMessage::from(message.clone()).to_webrtc(), Some(message));
        }
        assert_eq!(DataMessage { ppid: 50, payload: [1].into() }.to_webrtc(), None);
    }
}
