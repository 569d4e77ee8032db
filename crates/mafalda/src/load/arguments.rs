//! What the command line of the load generator says, checked where it is read.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use mafalda_core::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_load::{
    Arrangement, ClimbOptions, Codec, DemoAddress, DemoTarget, EngineTarget, EngineTransport, Habits, Limits,
    LinkQuality, Ramp, RunOptions, Scenario, ScenarioOptions, Target,
};

/// Puts an SFU under load, checks what comes back, and measures it.
///
/// Publishers and subscribers join as browsers do (ICE, DTLS, SRTP) or over PlainTransports, send media in the sizes and bursts of real encoders, and answer
/// with the feedback of browsers. Each packet carries a marker, from which its content can be computed: one packet in 64 is decrypted,
/// compared, and its delay measured.
///
/// Without --url it measures the engine in its own process, on loopback. Exits with 1 when packets were not what was sent, or somebody
/// could not join; losses are measured and no failure. Ctrl-C ends it early, with a summary.
#[derive(Clone, Debug, Parser)]
#[command(name = "mafalda-load", version, max_term_width = 110)]
pub struct LoadArguments {
    /// The engine in this process (what is measured when nothing else is named)
    #[arg(long, conflicts_with = "url")]
    pub engine: bool,

    /// Workers of the engine in this process; subscribers are spread over a room on each, a meeting has but one
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["url", "meeting"], value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,

    /// A running mafalda-demo, as it prints its address
    #[arg(long, value_name = "http://HOST:PORT")]
    pub url: Option<DemoAddress>,

    /// The demo's room; what doesn't fit in goes into NAME-2, NAME-3 and so on
    #[arg(long, value_name = "NAME", default_value = "load", requires = "url")]
    pub room: String,

    /// The demo's join token, if it isn't part of the address
    #[arg(long, value_name = "TOKEN", requires = "url", env = "MAFALDA_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// How clients reach the engine in this process; a demo is for browsers
    #[arg(long, value_enum, default_value_t = Way::Webrtc)]
    pub transport: Way,

    /// What protects the packets of plain clients: gcm unless it is said
    #[arg(long, value_enum, requires = "transport")]
    pub srtp: Option<Suite>,

    /// Process of the server on this machine, to read its CPU time
    #[arg(long, value_name = "PID", requires = "url")]
    pub server_pid: Option<u32>,

    /// Participants that send, in each room
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub publishers: usize,

    /// Participants that receive what all publishers of their room send
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub subscribers: usize,

    /// A meeting instead: so many participants, each sends and receives all others
    #[arg(long, value_name = "N", conflicts_with_all = ["publishers", "subscribers"])]
    pub meeting: Option<usize>,

    /// What each publisher sends: one stream of each of vp8, vp9, h264, opus
    #[arg(long, value_name = "CODEC,…", value_delimiter = ',', default_value = "vp8")]
    pub codec: Vec<Codec>,

    /// Bits per second of a video stream, such as 300k or 1.5M; its key frames come on top
    #[arg(long, value_name = "RATE", default_value = "1M", value_parser = parse_rate)]
    pub bitrate: u32,

    /// Bits per second of an audio stream
    #[arg(long, value_name = "RATE", default_value = "32k", value_parser = parse_rate)]
    pub audio_bitrate: u32,

    /// Frames per second of video
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub fps: u32,

    /// How long to measure once all have joined, such as 10s, 500ms, 5m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    pub duration: Duration,

    /// Share of datagrams that the network of each client loses, each way, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, allow_negative_numbers = true)]
    pub loss: f64,

    /// How late that network lets a datagram be at most, each way; the order stays
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_time)]
    pub jitter: Duration,

    /// Where all randomness comes from: sizes, losses, phases, names
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Decrypt and compare one packet in N; 1 for all
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub verify_every: u32,

    /// Spoil the content of one packet in N before it is sent, to see that it is noticed
    #[arg(long, value_name = "N")]
    pub spoil_every: Option<NonZeroU32>,

    /// No transport-wide sequence numbers and no feedback about them
    #[arg(long)]
    pub no_transport_cc: bool,

    /// Don't ask for lost packets again
    #[arg(long)]
    pub no_nack: bool,

    /// Threads of the load
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: usize,

    /// Clients that may share a socket; those whose server has one address get a socket each anyway
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub peers_per_socket: usize,

    /// Go up from --subscribers (or --meeting, or --bitrate) by a fifth per step until more than 0.5 % are lost or the 99th percentile
    /// of the delay passes 20 ms
    #[arg(long)]
    pub find_capacity: bool,

    /// What grows
    #[arg(long, value_enum, default_value_t = Growth::Receivers, requires = "find_capacity")]
    pub grow: Growth,

    /// How long each step is measured
    #[arg(long, value_name = "TIME", default_value = "4s", value_parser = parse_time, requires = "find_capacity")]
    pub step: Duration,

    /// Most loss of a good step, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.5, requires = "find_capacity")]
    pub loss_limit: f64,

    /// Longest 99th percentile of the delay of a good step
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = parse_time, requires = "find_capacity")]
    pub delay_limit: Duration,

    /// Write the summary here too, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// A line per second even if nobody looks
    #[arg(long)]
    pub progress: bool,
}

/// What grows in the search for capacity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Growth {
    /// Subscribers, or members of the meeting.
    Receivers,
    /// The bitrate of each video stream.
    Bitrate,
}

/// How clients reach the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Way {
    /// ICE, DTLS, SRTP.
    Webrtc,
    /// PlainTransports, which learn their clients' addresses.
    Plain,
}

/// What protects the packets of plain clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Suite {
    /// AEAD_AES_128_GCM.
    Gcm,
    /// AEAD_AES_256_GCM.
    Gcm256,
    /// AES_CM_128_HMAC_SHA1_80.
    Cm80,
    /// No SRTP.
    None,
}

impl From<Suite> for Option<SrtpCryptoSuite> {
    fn from(suite: Suite) -> Self {
        match suite {
            Suite::Gcm => Some(SrtpCryptoSuite::AeadAes128Gcm),
            Suite::Gcm256 => Some(SrtpCryptoSuite::AeadAes256Gcm),
            Suite::Cm80 => Some(SrtpCryptoSuite::AesCm128HmacSha180),
            Suite::None => None,
        }
    }
}

impl LoadArguments {
    /// Who sends what to whom.
    ///
    /// # Errors
    /// When there can't be such a run.
    pub fn scenario(&self) -> Result<Scenario> {
        let arrangement = match self.meeting {
            Some(members) => Arrangement::Meeting { members },
            None => Arrangement::Broadcast { publishers: self.publishers, subscribers: self.subscribers },
        };
        let options = ScenarioOptions {
            arrangement,
            codecs: self.codec.clone(),
            bitrate: self.bitrate,
            audio_bitrate: self.audio_bitrate,
            fps: self.fps,
            duration: self.duration,
            link: LinkQuality { loss: self.loss / 100.0, jitter: self.jitter },
            seed: self.seed,
            verify_every: self.verify_every,
            spoil_every: self.spoil_every,
            habits: Habits { transport_cc: !self.no_transport_cc, nack: !self.no_nack },
            threads: self.threads,
            peers_per_socket: self.peers_per_socket,
        };
        Ok(Scenario::new(options)?)
    }

    /// How it is measured.
    #[must_use]
    pub fn run_options(&self) -> RunOptions {
        let ramp = match self.grow {
            Growth::Receivers => Ramp::Receivers,
            Growth::Bitrate => Ramp::Bitrate,
        };
        let limits = Limits { loss: self.loss_limit / 100.0, p99: self.delay_limit };
        let climb = self.find_capacity.then_some(ClimbOptions { ramp, limits, step: self.step });
        RunOptions { server_pid: self.server_pid, climb }
    }

    /// What is put under load.
    ///
    /// # Errors
    /// When flags don't fit each other, or the engine doesn't start.
    pub async fn target(&self) -> Result<Target> {
        let transport = self.engine_transport()?;
        match &self.url {
            Some(address) => {
                Ok(Target::Demo(DemoTarget::new(address.clone(), self.room.clone(), self.token.clone())))
            }
            None => {
                let engine = EngineTarget::start(self.workers.into()).await;
                let engine = engine.context("the media engine doesn't start")?;
                Ok(Target::Engine(engine.with_transport(transport)))
            }
        }
    }

    fn engine_transport(&self) -> Result<EngineTransport> {
        match (self.transport, self.srtp) {
            (Way::Webrtc, None) => Ok(EngineTransport::WebRtc),
            (Way::Webrtc, Some(_)) => bail!("--srtp is for --transport plain: DTLS agrees on a suite itself"),
            (Way::Plain, _) if self.url.is_some() => {
                bail!(
                    "--transport plain is for the engine in this process: the demo at --url speaks WebRTC alone"
                )
            }
            (Way::Plain, suite) => Ok(EngineTransport::Plain(suite.unwrap_or(Suite::Gcm).into())),
        }
    }
}

/// A number with `k`, `M` or nothing behind it.
fn parse_rate(text: &str) -> Result<u32, String> {
    let (number, factor) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => text.strip_suffix('M').map_or((text, 1.0), |number| (number, 1e6)),
    };
    let value: f64 = number.parse().map_err(|_| format!("{text:?} is no rate such as 300k or 1.5M"))?;
    let rate = (value * factor).round();
    if rate < 1.0 || rate > f64::from(u32::MAX) || rate.is_nan() {
        return Err(format!("{text:?} is no rate that a stream can have"));
    }
    Ok(rate as u32)
}

/// A number with `ms`, `s` or `m` behind it.
fn parse_time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0)];
    let split = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = split.ok_or_else(|| format!("{text:?} is no time such as 10s, 500ms or 5m"))?;
    let value: f64 = number.parse().map_err(|_| format!("{text:?} is no time such as 10s, 500ms or 5m"))?;
    Duration::try_from_secs_f64(value * factor).map_err(|error| format!("{text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<LoadArguments, String> {
        let arguments = [&["mafalda-load"], arguments].concat();
        LoadArguments::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    fn options(arguments: &[&str]) -> ScenarioOptions {
        parse(arguments).unwrap().scenario().unwrap().options().clone()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        LoadArguments::command().debug_assert();
    }

    #[test]
    fn nothing_need_be_given() {
        assert_eq!(options(&[]), ScenarioOptions::default());
        assert!(parse(&[]).unwrap().run_options().climb.is_none());
    }

    #[test]
    fn each_flag_comes_through() {
        let got = options(&[
            "--publishers=3",
            "--subscribers=4",
            "--codec=h264,opus",
            "--bitrate=1.5M",
            "--audio-bitrate=24k",
            "--fps=25",
            "--duration=500ms",
            "--loss=2",
            "--jitter=30ms",
            "--seed=9",
            "--verify-every=1",
            "--spoil-every=7",
            "--no-transport-cc",
            "--no-nack",
            "--threads=2",
            "--peers-per-socket=1",
        ]);
        let expected = ScenarioOptions {
            arrangement: Arrangement::Broadcast { publishers: 3, subscribers: 4 },
            codecs: vec![Codec::H264, Codec::Opus],
            bitrate: 1_500_000,
            audio_bitrate: 24_000,
            fps: 25,
            duration: Duration::from_millis(500),
            link: LinkQuality { loss: 0.02, jitter: Duration::from_millis(30) },
            seed: 9,
            verify_every: 1,
            spoil_every: NonZeroU32::new(7),
            habits: Habits { transport_cc: false, nack: false },
            threads: 2,
            peers_per_socket: 1,
        };
        assert_eq!(got, expected);
        assert_eq!(options(&["--meeting=5"]).arrangement, Arrangement::Meeting { members: 5 });
    }

    #[test]
    fn a_search_for_capacity_has_limits() {
        let arguments =
            ["--find-capacity", "--grow=bitrate", "--step=1m", "--loss-limit=1", "--delay-limit=5ms"];
        let climb = parse(&arguments).unwrap().run_options().climb.unwrap();
        let limits = Limits { loss: 0.01, p99: Duration::from_millis(5) };
        assert_eq!(climb, ClimbOptions { ramp: Ramp::Bitrate, limits, step: Duration::from_secs(60) });
        let plain = parse(&["--find-capacity"]).unwrap().run_options().climb.unwrap();
        assert_eq!((plain.ramp, plain.limits), (Ramp::Receivers, Limits::default()));
    }

    #[test]
    fn clients_of_the_engine_may_be_plain() {
        let transport = |arguments: &[&str]| parse(arguments).unwrap().engine_transport();
        assert_eq!(transport(&[]).unwrap(), EngineTransport::WebRtc);
        for (suite, expected) in [
            (&[][..], Some(SrtpCryptoSuite::AeadAes128Gcm)),
            (&["--srtp=gcm"], Some(SrtpCryptoSuite::AeadAes128Gcm)),
            (&["--srtp=gcm256"], Some(SrtpCryptoSuite::AeadAes256Gcm)),
            (&["--srtp=cm80"], Some(SrtpCryptoSuite::AesCm128HmacSha180)),
            (&["--srtp=none"], None),
        ] {
            let plain = transport(&[&["--transport=plain"], suite].concat());
            assert_eq!(plain.unwrap(), EngineTransport::Plain(expected));
        }
        let url = "--url=http://127.0.0.1:3000";
        assert_eq!(transport(&[url, "--transport=webrtc"]).unwrap(), EngineTransport::WebRtc);
        for (arguments, reason) in [
            (&[url, "--transport=plain"][..], "speaks WebRTC alone"),
            (&["--transport=webrtc", "--srtp=none"], "--srtp is for --transport plain"),
        ] {
            let error = transport(arguments).unwrap_err().to_string();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
        assert!(parse(&["--srtp=none"]).unwrap_err().contains("--transport"));
    }

    #[test]
    fn a_demo_is_named_by_its_address() {
        let arguments = ["--url=http://127.0.0.1:3000/#token=s3cret", "--room=plaza", "--server-pid=7"];
        let parsed = parse(&arguments).unwrap();
        assert_eq!(parsed.url.as_ref().unwrap().to_string(), "http://127.0.0.1:3000");
        assert_eq!(parsed.run_options().server_pid, Some(7));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        for (arguments, reason) in [
            (&["--url=https://127.0.0.1:3000"][..], "https is not spoken"),
            (&["--url=127.0.0.1"], "doesn't begin with http"),
            (&["--room=x"], "--url"),
            (&["--engine", "--url=http://127.0.0.1:3000"], "cannot be used with"),
            (&["--codec=h265"], "none of opus"),
            (&["--bitrate=fast"], "no rate such as"),
            (&["--bitrate=-1"], "no rate that"),
            (&["--duration=10"], "no time such as"),
            (&["--duration=-1s"], "negative"),
            (&["--meeting=3", "--subscribers=2"], "cannot be used with"),
            (&["--grow=bitrate"], "--find-capacity"),
            (&["--workers=0"], "0 is not in"),
            (&["--workers=2", "--meeting=3"], "cannot be used with"),
            (&["--spoil-every=0"], "zero"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
        for arguments in [["--loss=101"], ["--subscribers=0"], ["--fps=0"], ["--jitter=5s"]] {
            assert!(parse(&arguments).unwrap().scenario().is_err(), "{arguments:?}");
        }
    }
}
