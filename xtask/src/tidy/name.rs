//! File names: singular nouns that say what is in there.

use super::finding::Finding;

/// Names that say nothing, so that anything ends up in them; and `mod.rs`, since we write `foo.rs` beside `foo/`.
const BANNED: [&str; 9] = ["utils", "util", "common", "helpers", "helper", "manager", "impl", "mod", "misc"];

/// The one exception: mediasoup's own `WorkerManager`.
const ALLOWED: &str = "worker_manager";

/// Looks at each part of the path, folders as well as the file, and at the last word of a compound name.
pub(crate) fn check(path: &str) -> Option<Finding> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let part = stem.split('/').find(|part| is_banned(part))?;
    Some(Finding::new(path, format!("`{part}` names nothing: call it after the noun that lives there")))
}

fn is_banned(part: &str) -> bool {
    let last = part.rsplit('_').next().unwrap_or(part);
    part != ALLOWED && BANNED.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_fail() {
        for name in ["utils", "common", "helpers", "manager", "impl", "mod", "room_manager", "rtp_utils"] {
            assert!(check(&format!("crates/a/src/{name}.rs")).is_some(), "{name}");
        }
        assert!(check("tests/common/fixture.rs").is_some());
    }

    #[test]
    fn nouns_pass() {
        for name in ["worker_manager", "router", "model", "command", "modulus"] {
            assert!(check(&format!("crates/a/src/{name}.rs")).is_none(), "{name}");
        }
    }
}
