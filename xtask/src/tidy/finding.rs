//! One broken rule at one place.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A file, `file:line`, or a crate.
    pub(crate) place: String,
    /// What is wrong, and how it would be right.
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// A finding at a line of a file; `index` counts from 0, as the lines of a text do.
    pub(crate) fn at_line(path: &str, index: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{path}:{}", index + 1), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
