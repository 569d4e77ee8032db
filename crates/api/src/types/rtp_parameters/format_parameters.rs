//! Format-specific parameters of a codec: the `fmtp` line of SDP as a map.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::{fmt, iter, slice, vec};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

type Key = Cow<'static, str>;
type Entry = (Key, RtpCodecParametersParametersValue);

/// Parameters of a codec, ordered by name. Some decide whether two codecs match: `packetization-mode` and
/// `profile-level-id` of H264, `profile-id` of VP9, `apt` of RTX.
///
/// Most codecs have none to three, and each Consumer's parameters are held several times: so this is a sorted list, where a tree
/// would take half a kilobyte for the first.
#[derive(Debug, Default, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct RtpCodecParametersParameters(Vec<Entry>);

impl RtpCodecParametersParameters {
    /// Sets a parameter, replacing the value it had.
    pub fn insert<K, V>(&mut self, key: K, value: V) -> &mut Self
    where
        K: Into<Cow<'static, str>>,
        V: Into<RtpCodecParametersParametersValue>,
    {
        let (key, value) = (key.into(), value.into());
        match self.place(&key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
        self
    }

    /// All parameters, by name.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(by_parts)
    }

    /// One parameter.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&RtpCodecParametersParametersValue> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(key))
    }
}

/// Parameters by reference, ordered by name.
type Iter<'a> =
    iter::Map<slice::Iter<'a, Entry>, fn(&'a Entry) -> (&'a Key, &'a RtpCodecParametersParametersValue)>;

fn by_parts((key, value): &Entry) -> (&Key, &RtpCodecParametersParametersValue) {
    (key, value)
}

impl<'a> IntoIterator for &'a RtpCodecParametersParameters {
    type Item = (&'a Cow<'static, str>, &'a RtpCodecParametersParametersValue);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for RtpCodecParametersParameters {
    type Item = (Cow<'static, str>, RtpCodecParametersParametersValue);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for RtpCodecParametersParameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for RtpCodecParametersParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By way of a tree: a browser's map may be of any size and order.
        let sorted = BTreeMap::<Key, RtpCodecParametersParametersValue>::deserialize(deserializer)?;
        Ok(Self(sorted.into_iter().collect()))
    }
}

impl<K, const N: usize> From<[(K, RtpCodecParametersParametersValue); N]> for RtpCodecParametersParameters
where
    K: Into<Cow<'static, str>>,
{
    fn from(parameters: [(K, RtpCodecParametersParametersValue); N]) -> Self {
        parameters.into_iter().collect()
    }
}

impl<K> Extend<(K, RtpCodecParametersParametersValue)> for RtpCodecParametersParameters
where
    K: Into<Cow<'static, str>>,
{
    fn extend<T: IntoIterator<Item = (K, RtpCodecParametersParametersValue)>>(&mut self, parameters: T) {
        for (key, value) in parameters {
            self.insert(key, value);
        }
    }
}

impl<K> FromIterator<(K, RtpCodecParametersParametersValue)> for RtpCodecParametersParameters
where
    K: Into<Cow<'static, str>>,
{
    fn from_iter<T: IntoIterator<Item = (K, RtpCodecParametersParametersValue)>>(parameters: T) -> Self {
        let mut collected = Self::default();
        collected.extend(parameters);
        collected
    }
}

/// Value of a codec parameter.
///
/// Parsers of SDP turn whatever looks like a number into one, so other JSON scalars occur too (`-1`, `0.5`, `true`, a
/// flag's `null`). They are read as their text, `null` as the empty one.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(untagged)]
pub enum RtpCodecParametersParametersValue {
    /// Text.
    String(Cow<'static, str>),
    /// Number.
    Number(u32),
}

impl From<Cow<'static, str>> for RtpCodecParametersParametersValue {
    fn from(text: Cow<'static, str>) -> Self {
        Self::String(text)
    }
}

impl From<String> for RtpCodecParametersParametersValue {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<&'static str> for RtpCodecParametersParametersValue {
    fn from(text: &'static str) -> Self {
        Self::String(text.into())
    }
}

impl From<u8> for RtpCodecParametersParametersValue {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for RtpCodecParametersParametersValue {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for RtpCodecParametersParametersValue {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl<'de> Deserialize<'de> for RtpCodecParametersParametersValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = RtpCodecParametersParametersValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a codec parameter: text or number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).map_or_else(|_| number.to_string().into(), Into::into))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u32::try_from(number).map_or_else(|_| number.to_string().into(), Into::into))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(if flag { "true" } else { "false" }.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok("".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn parameters_are_found_and_told_by_name_whatever_order_they_came_in() {
        let mut parameters = RtpCodecParametersParameters::from([("c", 3_u8.into()), ("a", 1_u8.into())]);
        parameters.insert("b", "two").insert("a", 4_u8);
        let told: Vec<&str> = parameters.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(told, ["a", "b", "c"]);
        assert_eq!(parameters.get("a"), Some(&RtpCodecParametersParametersValue::Number(4)));
        assert_eq!(parameters.get("d"), None);
        let read: RtpCodecParametersParameters = from_value(json!({ "c": 3, "b": "two", "a": 4 })).unwrap();
        assert_eq!(read, parameters);
    }

    #[test]
    fn every_json_scalar_is_read() {
        let json =
            json!({ "a": 1, "b": "1", "c": -1, "d": 0.5, "e": true, "f": null, "g": 4_294_967_296_u64 });
        let parameters: RtpCodecParametersParameters = from_value(json).unwrap();
        assert_eq!(parameters.get("a"), Some(&RtpCodecParametersParametersValue::Number(1)));
        assert_eq!(
            to_value(&parameters).unwrap(),
            json!({ "a": 1, "b": "1", "c": "-1", "d": "0.5", "e": "true", "f": "", "g": "4294967296" })
        );
        assert!(from_value::<RtpCodecParametersParameters>(json!({ "a": [] })).is_err());
    }
}
