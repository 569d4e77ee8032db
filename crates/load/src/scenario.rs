//! What a run does: who sends what to whom, for how long, over what network. Raw wishes become a [`Scenario`] that can't be wrong.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::link::LinkQuality;
use crate::media::{Codec, Shape, ShapeError};
use crate::negotiation::Habits;

/// Most participants of a run. Each has a Transport or two, with a DTLS connection and SRTP contexts: some 100 KB here.
pub const PEERS_MAX: usize = 10_000;

/// Most streams that are received: each has some 4 KB of bookkeeping here.
pub const STREAMS_MAX: usize = 200_000;

/// Longest run: a day. Statistics are kept in full, and nothing in them overflows in that time.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// Most threads of the load itself.
pub const THREADS_MAX: usize = 64;

/// Most clients that share a socket: 65,536 of them would be a kernel buffer's trouble, not ours.
pub const PEERS_PER_SOCKET_MAX: usize = 4096;

/// Sampling rarer than this would say nothing: SRTP's receiver follows a stream only if it sees a packet of each 2^15.
pub const VERIFY_EVERY_MAX: u32 = 10_000;

/// Longest jitter: what is later is lost for any conversation.
pub const JITTER_MAX: Duration = Duration::from_secs(2);

/// Who sends to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Publishers that don't listen, subscribers that receive all of them.
    Broadcast {
        /// Those who send.
        publishers: usize,
        /// Those who receive.
        subscribers: usize,
    },
    /// Everybody receives everybody else.
    Meeting {
        /// How many.
        members: usize,
    },
}

impl Arrangement {
    /// Participants.
    #[must_use]
    pub fn peers(self) -> usize {
        match self {
            Self::Broadcast { publishers, subscribers } => publishers.saturating_add(subscribers),
            Self::Meeting { members } => members,
        }
    }

    /// Received streams, of so many per publisher.
    pub(crate) fn streams(self, per_publisher: usize) -> usize {
        self.pairs().saturating_mul(per_publisher)
    }

    /// Pairs of a sender and one who receives it.
    fn pairs(self) -> usize {
        match self {
            Self::Broadcast { publishers, subscribers } => publishers.saturating_mul(subscribers),
            Self::Meeting { members } => members.saturating_mul(members.saturating_sub(1)),
        }
    }

    /// The same with another number of those whose number can grow: subscribers, or members.
    #[must_use]
    pub fn with_receivers(self, receivers: usize) -> Self {
        match self {
            Self::Broadcast { publishers, .. } => Self::Broadcast { publishers, subscribers: receivers },
            Self::Meeting { .. } => Self::Meeting { members: receivers },
        }
    }

    /// Those who receive.
    #[must_use]
    pub fn receivers(self) -> usize {
        match self {
            Self::Broadcast { subscribers, .. } => subscribers,
            Self::Meeting { members } => members,
        }
    }
}

/// What somebody wishes.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioOptions {
    /// Who sends to whom.
    pub arrangement: Arrangement,
    /// What each publisher sends, one stream per entry.
    pub codecs: Vec<Codec>,
    /// Bits per second of a video stream.
    pub bitrate: u32,
    /// Bits per second of an audio stream.
    pub audio_bitrate: u32,
    /// Frames per second of video.
    pub fps: u32,
    /// How long it is measured, once everybody has joined.
    pub duration: Duration,
    /// The network of each client.
    pub link: LinkQuality,
    /// Where all randomness comes from.
    pub seed: u64,
    /// One packet in so many is decrypted and compared.
    pub verify_every: u32,
    /// Publishers spoil the content of one packet in so many.
    pub spoil_every: Option<NonZeroU32>,
    /// Which of a browser's habits clients have.
    pub habits: Habits,
    /// Threads of the load.
    pub threads: usize,
    /// Clients that may share a socket.
    pub peers_per_socket: usize,
}

impl Default for ScenarioOptions {
    fn default() -> Self {
        Self {
            arrangement: Arrangement::Broadcast { publishers: 1, subscribers: 10 },
            codecs: vec![Codec::Vp8],
            bitrate: 1_000_000,
            audio_bitrate: 32_000,
            fps: 30,
            duration: Duration::from_secs(10),
            link: LinkQuality::default(),
            seed: 1,
            verify_every: 64,
            spoil_every: None,
            habits: Habits { transport_cc: true, nack: true },
            threads: 1,
            peers_per_socket: 64,
        }
    }
}

/// Why there can't be such a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// A stream can't be.
    #[error("a stream of {codec} can't be sent: {error}")]
    Shape {
        /// Which.
        codec: Codec,
        /// Why.
        error: ShapeError,
    },
    /// No codec.
    #[error("publishers have nothing to send: name a codec")]
    NoCodec,
    /// The same codec twice, whose streams could not be told apart by their shape.
    #[error("{0} is named twice")]
    CodecTwice(Codec),
    /// Nobody would receive anything.
    #[error("there is nobody to send or nobody to receive")]
    NoPairs,
    /// A number is out of its bounds.
    #[error("{what} is {value}, but may be {min} to {max}")]
    Bounds {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
}

/// What a run does.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) options: ScenarioOptions,
    pub(crate) shapes: Vec<Shape>,
}

impl Scenario {
    /// Checks what is wished.
    ///
    /// # Errors
    /// [`ScenarioError`] says what can't be.
    pub fn new(options: ScenarioOptions) -> Result<Self, ScenarioError> {
        let shapes = shapes(&options, options.bitrate)?;
        let arrangement = options.arrangement;
        let streams = arrangement.streams(shapes.len());
        if streams == 0 {
            return Err(ScenarioError::NoPairs);
        }
        let LinkQuality { loss, jitter } = options.link;
        bounds("the number of peers", arrangement.peers() as f64, 1.0, PEERS_MAX as f64)?;
        bounds("the number of received streams", streams as f64, 1.0, STREAMS_MAX as f64)?;
        bounds("the duration in seconds", options.duration.as_secs_f64(), 0.1, DURATION_MAX.as_secs_f64())?;
        bounds("the loss", loss, 0.0, 1.0)?;
        bounds("the jitter in seconds", jitter.as_secs_f64(), 0.0, JITTER_MAX.as_secs_f64())?;
        bounds("the share of verified packets", options.verify_every.into(), 1.0, VERIFY_EVERY_MAX.into())?;
        bounds("the number of threads", options.threads as f64, 1.0, THREADS_MAX as f64)?;
        bounds("peers per socket", options.peers_per_socket as f64, 1.0, PEERS_PER_SOCKET_MAX as f64)?;
        Ok(Self { options, shapes })
    }

    /// What was wished.
    #[must_use]
    pub fn options(&self) -> &ScenarioOptions {
        &self.options
    }

    /// Packets of each publisher are shaped so when its video has another rate.
    ///
    /// # Errors
    /// [`ScenarioError::Shape`] when there can't be such a stream.
    pub fn shapes_at(&self, bitrate: u32) -> Result<Vec<Shape>, ScenarioError> {
        shapes(&self.options, bitrate)
    }
}

fn shapes(options: &ScenarioOptions, bitrate: u32) -> Result<Vec<Shape>, ScenarioError> {
    if options.codecs.is_empty() {
        return Err(ScenarioError::NoCodec);
    }
    for (index, codec) in options.codecs.iter().enumerate() {
        if options.codecs.iter().take(index).any(|other| other == codec) {
            return Err(ScenarioError::CodecTwice(*codec));
        }
    }
    let shape = |&codec: &Codec| {
        let bitrate = if codec == Codec::Opus { options.audio_bitrate } else { bitrate };
        Shape::new(codec, bitrate, options.fps).map_err(|error| ScenarioError::Shape { codec, error })
    };
    options.codecs.iter().map(shape).collect()
}

fn bounds(what: &'static str, value: f64, min: f64, max: f64) -> Result<(), ScenarioError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ScenarioError::Bounds { what, value, min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut ScenarioOptions)) -> ScenarioError {
        let mut options = ScenarioOptions::default();
        change(&mut options);
        Scenario::new(options).unwrap_err()
    }

    #[test]
    fn what_nobody_says_otherwise_can_be_run() {
        let scenario = Scenario::new(ScenarioOptions::default()).unwrap();
        assert_eq!(scenario.shapes.len(), 1);
        assert!(scenario.shapes_at(2_000_000).is_ok() && scenario.shapes_at(1).is_err());
    }

    #[test]
    fn what_can_not_be_is_refused_with_its_reason() {
        assert_eq!(refused(|it| it.codecs.clear()), ScenarioError::NoCodec);
        assert_eq!(refused(|it| it.codecs = vec![Codec::Vp8; 2]), ScenarioError::CodecTwice(Codec::Vp8));
        assert!(matches!(refused(|it| it.bitrate = 1), ScenarioError::Shape { codec: Codec::Vp8, .. }));
        for (publishers, subscribers) in [(0, 5), (5, 0)] {
            let arrangement = Arrangement::Broadcast { publishers, subscribers };
            assert_eq!(refused(|it| it.arrangement = arrangement), ScenarioError::NoPairs);
        }
        let alone = Arrangement::Meeting { members: 1 };
        assert_eq!(refused(|it| it.arrangement = alone), ScenarioError::NoPairs);
    }

    #[test]
    fn each_number_has_its_bounds() {
        let what = |change: fn(&mut ScenarioOptions)| match refused(change) {
            ScenarioError::Bounds { what, .. } => what,
            other => panic!("{other}"),
        };
        let peers =
            what(|it| it.arrangement = Arrangement::Broadcast { publishers: 1, subscribers: PEERS_MAX });
        assert_eq!(peers, "the number of peers");
        let streams = what(|it| it.arrangement = Arrangement::Meeting { members: 1000 });
        assert_eq!(streams, "the number of received streams");
        assert_eq!(what(|it| it.duration = DURATION_MAX + Duration::from_secs(1)), "the duration in seconds");
        assert_eq!(what(|it| it.link.loss = 1.5), "the loss");
        assert_eq!(what(|it| it.link.loss = f64::NAN), "the loss");
        assert_eq!(what(|it| it.link.jitter = Duration::from_secs(3)), "the jitter in seconds");
        assert_eq!(what(|it| it.verify_every = 0), "the share of verified packets");
        assert_eq!(what(|it| it.threads = THREADS_MAX + 1), "the number of threads");
        assert_eq!(what(|it| it.peers_per_socket = 0), "peers per socket");
    }

    #[test]
    fn arrangements_grow_by_those_who_receive() {
        let broadcast = Arrangement::Broadcast { publishers: 3, subscribers: 1 };
        assert_eq!(broadcast.with_receivers(9), Arrangement::Broadcast { publishers: 3, subscribers: 9 });
        assert_eq!((broadcast.receivers(), broadcast.peers(), broadcast.pairs()), (1, 4, 3));
        let meeting = Arrangement::Meeting { members: 4 }.with_receivers(5);
        assert_eq!((meeting.receivers(), meeting.peers(), meeting.pairs()), (5, 5, 20));
    }
}
