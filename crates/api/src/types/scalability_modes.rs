//! Scalability modes: how many spatial and temporal layers one RTP stream carries.
//!
//! The standard ones are those of <https://www.w3.org/TR/webrtc-svc/>. Any other text that spells its layers the same
//! way is a [`ScalabilityMode::Custom`].

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::text;

/// Error of [`ScalabilityMode::from_str`].
#[derive(Debug, Error, Eq, PartialEq)]
pub enum ParseScalabilityModeError {
    /// The text doesn't begin like `L2T3` or `S2T3`.
    #[error("Invalid Scalability Mode input string")]
    InvalidInput,
}

macro_rules! standard_modes {
    ($($variant:ident = $text:literal,)+) => {
        /// Layers of one RTP stream.
        #[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
        pub enum ScalabilityMode {
            /// One spatial and one temporal layer; written `S1T1`.
            #[default]
            None,
            $(
                #[doc = concat!("`", $text, "`.")]
                $variant,
            )+
            /// A mode outside the standard.
            Custom {
                /// The text it was read from.
                scalability_mode: String,
                /// Spatial layers.
                spatial_layers: NonZeroU8,
                /// Temporal layers.
                temporal_layers: NonZeroU8,
                /// Whether layers depend on each other at key frames only.
                ksvc: bool,
            },
        }

        impl ScalabilityMode {
            /// The text of the mode.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::None => "S1T1",
                    $(Self::$variant => $text,)+
                    Self::Custom { scalability_mode, .. } => scalability_mode,
                }
            }

            fn standard(text: &str) -> Option<Self> {
                match text {
                    "S1T1" => Some(Self::None),
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        #[cfg(test)]
        const STANDARD: &[ScalabilityMode] = &[ScalabilityMode::None, $(ScalabilityMode::$variant),+];
    };
}

standard_modes! {
    L1T2 = "L1T2",
    L1T2h = "L1T2h",
    L1T3 = "L1T3",
    L1T3h = "L1T3h",
    L2T1 = "L2T1",
    L2T1h = "L2T1h",
    L2T1Key = "L2T1_KEY",
    L2T2 = "L2T2",
    L2T2h = "L2T2h",
    L2T2Key = "L2T2_KEY",
    L2T2KeyShift = "L2T2_KEY_SHIFT",
    L2T3 = "L2T3",
    L2T3h = "L2T3h",
    L2T3Key = "L2T3_KEY",
    L2T3KeyShift = "L2T3_KEY_SHIFT",
    L3T1 = "L3T1",
    L3T1h = "L3T1h",
    L3T1Key = "L3T1_KEY",
    L3T2 = "L3T2",
    L3T2h = "L3T2h",
    L3T2Key = "L3T2_KEY",
    L3T2KeyShift = "L3T2_KEY_SHIFT",
    L3T3 = "L3T3",
    L3T3h = "L3T3h",
    L3T3Key = "L3T3_KEY",
    L3T3KeyShift = "L3T3_KEY_SHIFT",
    S2T1 = "S2T1",
    S2T1h = "S2T1h",
    S2T2 = "S2T2",
    S2T2h = "S2T2h",
    S2T3 = "S2T3",
    S2T3h = "S2T3h",
    S3T1 = "S3T1",
    S3T1h = "S3T1h",
    S3T2 = "S3T2",
    S3T2h = "S3T2h",
    S3T3 = "S3T3",
    S3T3h = "S3T3h",
}

impl ScalabilityMode {
    /// Whether this is [`ScalabilityMode::None`].
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Spatial layers.
    pub fn spatial_layers(&self) -> NonZeroU8 {
        self.layers().spatial
    }

    /// Temporal layers.
    pub fn temporal_layers(&self) -> NonZeroU8 {
        self.layers().temporal
    }

    /// Whether upper spatial layers need the lower ones at key frames only.
    pub fn ksvc(&self) -> bool {
        self.layers().ksvc
    }

    fn layers(&self) -> Layers {
        match *self {
            Self::Custom { spatial_layers: spatial, temporal_layers: temporal, ksvc, .. } => {
                Layers { spatial, temporal, ksvc }
            }
            ref standard => Layers::parse(standard.as_str()).expect("standard modes spell out their layers"),
        }
    }
}

impl FromStr for ScalabilityMode {
    type Err = ParseScalabilityModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(standard) = Self::standard(text) {
            return Ok(standard);
        }
        let layers = Layers::parse(text).ok_or(ParseScalabilityModeError::InvalidInput)?;
        Ok(Self::Custom {
            scalability_mode: text.to_owned(),
            spatial_layers: layers.spatial,
            temporal_layers: layers.temporal,
            ksvc: layers.ksvc,
        })
    }
}

impl fmt::Display for ScalabilityMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ScalabilityMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ScalabilityMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "a scalability mode like \"S1T3\"", str::parse)
    }
}

/// What the text of a mode says.
struct Layers {
    spatial: NonZeroU8,
    temporal: NonZeroU8,
    ksvc: bool,
}

impl Layers {
    /// `L` or `S`, spatial layers, `T`, temporal layers, perhaps `_KEY`; what follows is anybody's.
    fn parse(text: &str) -> Option<Self> {
        let (spatial, rest) = split_count(text.strip_prefix(['L', 'S'])?)?;
        let (temporal, rest) = split_count(rest.strip_prefix('T')?)?;
        Some(Self { spatial, temporal, ksvc: rest.starts_with("_KEY") })
    }
}

/// A count of one or two digits without leading zero, and what follows it.
fn split_count(text: &str) -> Option<(NonZeroU8, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (count, rest) = text.split_at_checked(digits)?;
    let count = if count.starts_with('0') { None } else { count.parse().ok() };
    Some((count?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u8, u8, bool)> {
        let mode: ScalabilityMode = text.parse().ok()?;
        assert_eq!(mode.as_str(), text);
        Some((mode.spatial_layers().get(), mode.temporal_layers().get(), mode.ksvc()))
    }

    #[test]
    fn standard_modes_round_trip() {
        for mode in STANDARD {
            assert_eq!(mode.as_str().parse::<ScalabilityMode>().as_ref(), Ok(mode));
            assert_eq!(mode.ksvc(), mode.as_str().contains("_KEY"));
        }
        assert_eq!(parsed("S1T1"), Some((1, 1, false)));
        assert_eq!(parsed("L3T2_KEY_SHIFT"), Some((3, 2, true)));
        assert_eq!(parsed("S2T3h"), Some((2, 3, false)));
    }

    #[test]
    fn other_layer_counts_are_custom() {
        assert_eq!(parsed("L1T1"), Some((1, 1, false)));
        assert!(!"L1T1".parse::<ScalabilityMode>().unwrap().is_none());
        assert_eq!(parsed("L4T7_KEY_SHIFT"), Some((4, 7, true)));
        assert_eq!(parsed("S20T3"), Some((20, 3, false)));
        assert_eq!(parsed("L2T100"), Some((2, 10, false)));
    }

    #[test]
    fn text_without_layers_is_refused() {
        for text in ["", "L", "L0T3", "L01T3", "L2T0", "L100T1", "l2t3", "L2S3", "LT", "xL2T3", "L-1T2", "Lé"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
