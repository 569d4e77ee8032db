//! Deserialization of values that are one string, read in place without copying the string first.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a string and hands it to `parse`, whose error becomes the deserializer's.
///
/// `expected` completes the sentence "expected …" when there is no string.
pub(super) fn deserialize<'de, D, T, E>(
    deserializer: D,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    deserializer.deserialize_str(TextVisitor { expected, parse, value: PhantomData })
}

struct TextVisitor<T, F> {
    expected: &'static str,
    parse: F,
    value: PhantomData<T>,
}

impl<T, F, E> Visitor<'_> for TextVisitor<T, F>
where
    F: FnOnce(&str) -> Result<T, E>,
    E: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<Failed: Error>(self, text: &str) -> Result<T, Failed> {
        (self.parse)(text).map_err(Failed::custom)
    }
}
