//! Entity tags: which ICE session a request means (RFC 9725 §4.3.1).

use std::fmt;

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use uuid::Uuid;

use super::problem::Problem;

/// The tag of one ICE session, drawn anew at each restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EntityTag(Uuid);

impl EntityTag {
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    pub(super) fn to_header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("hexadecimal digits in quotes are visible ASCII")
    }

    /// Whether a request means this one: RFC 9110 §13.1.1, with the comparison that takes no weak tag.
    pub(super) fn check(self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut wanted = headers.get_all(IF_MATCH).iter().peekable();
        if wanted.peek().is_none() {
            let detail = "`If-Match` is missing: the session's `ETag`, or `*` to restart ICE";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, detail));
        }
        let own = self.to_string();
        let mut tags = wanted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        match tags.any(|tag| tag.trim() == "*" || tag.trim() == own) {
            true => Ok(()),
            false => {
                let detail = "`If-Match` names another ICE session than that of now";
                Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
            }
        }
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: EntityTag, values: &[&str]) -> Result<(), u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, HeaderValue::from_str(value).unwrap());
        }
        tag.check(&headers).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn a_request_has_to_name_the_session_of_now() {
        let (tag, other) = (EntityTag::random(), EntityTag::random());
        assert_eq!(check(tag, &[]), Err(428));
        assert_eq!(check(tag, &["*"]), Ok(()));
        assert_eq!(check(tag, &[&tag.to_string()]), Ok(()));
        assert_eq!(check(tag, &[&format!("{other}, {tag}")]), Ok(()));
        assert_eq!(check(tag, &[&other.to_string(), &tag.to_string()]), Ok(()));
        assert_eq!(check(tag, &[&other.to_string()]), Err(412));
        assert_eq!(check(tag, &[&format!("W/{tag}")]), Err(412), "a weak tag is never strong enough");
        assert_eq!(check(tag, &[""]), Err(412));
    }
}
