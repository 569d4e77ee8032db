//! Labels: a small map of strings that travels with an object and shows wherever the object shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most bytes of all keys and values of one object's labels together. Larger would let labels outweigh the state that
/// every snapshot carries; smaller would not hold a room's name, a user's id and a link.
pub const LABELS_BYTES_MAX: usize = 4096;

/// What an application wants to find again at an object, on every machine: a user's id, a room's name.
///
/// Unlike `AppData`, which stays in the process that set it, labels travel. At most [`LABELS_BYTES_MAX`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Adds a label, or replaces its value.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All labels, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is no label at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of all keys and values together, what [`LABELS_BYTES_MAX`] bounds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        Self(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
