//! Nothing half done: no stubs, no ignored tests, no tests that sleep.

use super::finding::Finding;
use super::source::Source;

const STUBS: [(&str, &str); 3] = [
    ("todo!", "what isn't built is not in the API"),
    ("unimplemented!", "what isn't built is not in the API"),
    ("#[ignore", "a test that doesn't run proves nothing"),
];

const SLEEP: &str = "thread::sleep";

/// `code` is the source with comments and literals blanked out.
pub(crate) fn check(source: &Source, code: &str) -> Vec<Finding> {
    let mut in_tests = source.is_test();
    let mut findings = Vec::new();
    for (index, line) in code.lines().enumerate() {
        // Tests come last in a file, so everything after the first of these is test code.
        in_tests |= line.trim_start().starts_with("#[cfg(test)]");
        let stubs = STUBS.iter().filter(|(word, _)| contains_word(line, word));
        findings.extend(
            stubs.map(|(word, why)| Finding::at_line(&source.path, index, format!("`{word}`: {why}"))),
        );
        if in_tests && line.contains(SLEEP) {
            let message = "a test that sleeps: use the virtual clock, or wait for the event itself";
            findings.push(Finding::at_line(&source.path, index, message));
        }
    }
    findings
}

fn contains_word(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_word))
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Source::new(path, text), &code::mask(text)).len()
    }

    #[test]
    fn stubs_fail_wherever_they_are() {
        for text in [
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"x\") }",
            "#[ignore]\nfn f() {}",
            "#[ignore = \"x\"]",
        ] {
            assert_eq!(findings("crates/a/src/a.rs", text), 1, "{text}");
        }
        assert_eq!(findings("crates/a/src/a.rs", "// todo!()\nlet a = \"#[ignore]\"; my_todo!();"), 0);
    }

    #[test]
    fn a_sleep_fails_in_tests_only() {
        let sleep = "std::thread::sleep(PAUSE);";
        assert_eq!(findings("tests/router.rs", sleep), 1);
        assert_eq!(findings("crates/a/src/a/tests.rs", sleep), 1);
        assert_eq!(findings("crates/a/src/a.rs", &format!("#[cfg(test)]\nmod tests {{ {sleep} }}")), 1);
        assert_eq!(findings("crates/a/src/a.rs", sleep), 0);
    }
}
