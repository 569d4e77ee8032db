//! What is wrong with a description.

use thiserror::Error;

/// What is wrong with a description, for the person who sent it.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum SdpError {
    /// The lines are not those of RFC 8866.
    #[error("it is no session description: {0}")]
    Syntax(String),
    /// A line of a known kind can't be read.
    #[error("`a={name}:{value}` can't be read")]
    Attribute {
        /// The attribute.
        name: &'static str,
        /// What was found, shortened.
        value: String,
    },
    /// A line of a fragment is none.
    #[error("line {line} is neither an attribute nor a media section")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// There is nothing to talk about.
    #[error("there is no media section")]
    NoSections,
    /// More media sections than are taken.
    #[error("there are more than {max} media sections")]
    TooManySections {
        /// Most that are taken.
        max: usize,
    },
    /// More candidates than are taken.
    #[error("there are more than {max} candidates")]
    TooManyCandidates {
        /// Most that are taken.
        max: usize,
    },
    /// Two media sections of one name.
    #[error("two media sections have the mid {0:?}")]
    SameMid(String),
    /// RFC 9725 §4.4.2: all media goes over one transport.
    #[error("the media sections are not bundled: `a=group:BUNDLE` has to name them")]
    NotBundled,
    /// RFC 8842 §5.1.
    #[error("there is no `a=fingerprint` of a known hash function")]
    NoFingerprint,
    /// RFC 8839 §5.4.
    #[error("`a=ice-ufrag` and `a=ice-pwd` are missing, too short or too long")]
    NoIceCredentials,
    /// Two sets of credentials where one has to stand.
    #[error("there are two different pairs of `a=ice-ufrag` and `a=ice-pwd`")]
    TwoIceCredentials,
    /// RFC 8445 §6.1.1: neither would begin.
    #[error("both sides are `a=ice-lite`, so nobody would begin")]
    BothIceLite,
    /// RFC 4145 §4.1.
    #[error("`a=setup:holdconn` keeps the connection from being made")]
    HoldConnection,
}

impl SdpError {
    /// Whether the text can't be read, in contrast to one that can't be done.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Syntax(_) | Self::Attribute { .. } | Self::Line { .. })
    }
}
