//! What is measured: the matrix, as data.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// What protects the packets that go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Suite {
    /// Nothing
    None,
    /// AEAD_AES_128_GCM
    Gcm,
    /// AES_CM_128_HMAC_SHA1_80
    Cm,
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gcm => "gcm",
            Self::Cm => "cm",
        })
    }
}

/// One setting in which all contenders are measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Case {
    /// Of the Consumers.
    pub(crate) suite: Suite,
    /// Of the one Producer.
    pub(crate) consumers: u16,
    /// Packets that come in at once: those of a frame.
    pub(crate) burst: u16,
    /// Packets that come in per second.
    pub(crate) rate: u32,
    /// How many times less CPU than the peer is aimed at.
    pub(crate) target: Option<f64>,
}

const fn case(suite: Suite, consumers: u16, burst: u16, rate: u32, target: Option<f64>) -> Case {
    Case { suite, consumers, burst, rate, target }
}

/// The cases. Rates keep the peer below half of what it can do, so that nobody loses packets.
pub(crate) const MATRIX: &[Case] = &[
    case(Suite::Gcm, 100, 16, 400, Some(8.0)),
    case(Suite::Gcm, 100, 4, 400, Some(4.0)),
    case(Suite::Gcm, 100, 1, 400, Some(2.0)),
    case(Suite::Gcm, 1, 16, 4000, None),
    case(Suite::Gcm, 10, 16, 2000, None),
    case(Suite::Gcm, 400, 16, 96, None),
    case(Suite::None, 100, 16, 400, None),
    case(Suite::None, 100, 1, 400, None),
    case(Suite::Cm, 100, 16, 400, None),
    case(Suite::Cm, 100, 1, 400, None),
];

/// How many of them `--quick` runs.
pub(crate) const QUICK: usize = 3;

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x{} burst {}", self.suite, self.consumers, self.burst)
    }
}
