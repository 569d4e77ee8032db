//! Which cases of a bench are wanted.

/// Parts of names.
#[derive(Debug)]
pub(super) struct Choice(pub(super) Vec<String>);

impl Choice {
    /// Whether one of them occurs in the name, with its numbers whole: bursts of 1 are not bursts of 16. Without any, all are wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|part| has_part(name, part))
    }
}

fn has_part(name: &str, part: &str) -> bool {
    let goes_on = |rest: &str| {
        part.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with(|c: char| c.is_ascii_digit())
    };
    name.match_indices(part).any(|(at, _)| !goes_on(&name[at + part.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_a_part_of_their_name() {
        let choice = |parts: &[&str]| Choice(parts.iter().copied().map(String::from).collect());
        let name = "null: video of 1, PlainTransport, none, 100 Consumers, burst 16";
        assert!(choice(&[]).wants(name));
        assert!(choice(&["lo:", "burst 16"]).wants(name));
        assert!(!choice(&["lo:", "burst 4"]).wants(name));
        assert!(!choice(&["burst 1", "10"]).wants(name), "parts of numbers");
        assert!(choice(&["100 C"]).wants(name));
    }
}
