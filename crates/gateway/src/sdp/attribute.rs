//! Attributes of a description by name.

use rtc_sdp::description::common::Attribute;

use super::SdpError;

/// Most characters of a client's text that an error repeats.
const QUOTED_MAX: usize = 80;

/// All values of an attribute, in order; a flag's is empty.
pub(super) fn values<'a>(attributes: &'a [Attribute], name: &'static str) -> impl Iterator<Item = &'a str> {
    let named = attributes.iter().filter(move |attribute| attribute.key == name);
    named.map(|attribute| attribute.value.as_deref().unwrap_or_default())
}

/// Whether an attribute is there.
pub(super) fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.key == name)
}

/// The error of a value that can't be read.
pub(super) fn unreadable(name: &'static str, value: &str) -> SdpError {
    SdpError::Attribute { name, value: value.chars().take(QUOTED_MAX).collect() }
}

/// Whether a text of somebody else can stand in a line of ours. A name that came by another way than SDP may hold anything, the end
/// of a line too, and what stands behind that would speak for us.
pub(super) fn fits_line(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
