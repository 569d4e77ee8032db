//! Unsafe code: only in modules that exist for it, and each block says why it is sound.
//!
//! Those are the `sys` modules, which wrap system calls, and the inner loop of SRTP.

use super::finding::Finding;
use super::source::Source;

/// `code` is the source with comments and literals blanked out.
pub(crate) fn check(source: &Source, code: &str) -> Vec<Finding> {
    let lines: Vec<&str> = source.lines().collect();
    let code: Vec<&str> = code.lines().collect();
    let mut findings = Vec::new();
    for (index, line) in code.iter().enumerate() {
        let Some(after) = after_unsafe(line) else { continue };
        if !is_place_for_unsafe(&source.path) {
            findings.push(Finding::at_line(&source.path, index, "unsafe code belongs into a `sys` module"));
        } else if needs_reason(after, code.get(index + 1)) && !has_reason(&lines, &code, index) {
            findings.push(Finding::at_line(&source.path, index, "no SAFETY comment above"));
        }
    }
    findings
}

/// What follows the keyword on its line. `unsafe_code` is another word.
fn after_unsafe(line: &str) -> Option<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut matches = line.match_indices("unsafe");
    let (at, word) = matches.find(|(at, word)| {
        !line[..*at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word)
    })?;
    Some(line[at + word.len()..].trim_start())
}

fn is_place_for_unsafe(path: &str) -> bool {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let parts: Vec<&str> = stem.split('/').collect();
    parts.contains(&"sys") || parts.windows(2).any(|pair| pair == ["srtp", "kernel"])
}

/// Blocks and impls claim something; functions and extern blocks only ask, and clippy wants their `# Safety` section.
fn needs_reason(after: &str, next: Option<&&str>) -> bool {
    let opens_on_next = after.is_empty() && next.is_some_and(|next| next.trim_start().starts_with('{'));
    after.starts_with('{') || after.starts_with("impl") || opens_on_next
}

/// Looks upwards through the same statement for a comment that says SAFETY.
fn has_reason(lines: &[&str], code: &[&str], index: usize) -> bool {
    let says = |line: &str| line.find("//").is_some_and(|at| line[at..].contains("SAFETY"));
    if says(lines[index]) {
        return true;
    }
    for (line, code) in lines[..index].iter().zip(&code[..index]).rev() {
        let code = code.trim();
        if says(line) {
            return true;
        }
        let is_attribute = code.starts_with("#[");
        let ends_statement = code.ends_with([';', '{', '}', ',']) && !is_attribute;
        if line.trim().is_empty() || ends_statement {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Source::new(path, text), &code::mask(text)).len()
    }

    #[test]
    fn unsafe_outside_sys_fails() {
        let text = "// SAFETY: it is.\nunsafe { go() };\n";
        assert_eq!(findings("crates/core/src/worker.rs", text), 1);
        assert_eq!(findings("crates/core/src/system.rs", text), 1);
        assert_eq!(findings("crates/core/src/sys.rs", text), 0);
        assert_eq!(findings("crates/core/src/sys/recv.rs", text), 0);
        assert_eq!(findings("crates/media/src/srtp/kernel.rs", text), 0);
        assert_eq!(findings("crates/media/src/kernel.rs", text), 1);
    }

    #[test]
    fn a_block_without_a_reason_fails() {
        let sys = "crates/core/src/sys.rs";
        assert_eq!(findings(sys, "fn f() {\n    unsafe { go() };\n}\n"), 1);
        assert_eq!(findings(sys, "// SAFETY: of the other one.\nlet a = 1;\nlet b = unsafe { go() };\n"), 1);
        assert_eq!(findings(sys, "unsafe impl Send for A {}\n"), 1);
        assert_eq!(findings(sys, "let a = unsafe\n{ go() };\n"), 1);
    }

    #[test]
    fn a_reason_may_stand_above_the_statement_or_its_attributes() {
        let sys = "crates/core/src/sys.rs";
        assert_eq!(
            findings(sys, "// SAFETY: `fd` is open,\n// and ours.\nlet a =\n    unsafe { go() };\n"),
            0
        );
        assert_eq!(
            findings(sys, "// SAFETY: so.\n#[expect(unsafe_code, reason = \"x\")]\nunsafe { go() }\n"),
            0
        );
        assert_eq!(findings(sys, "let a = unsafe { go() }; // SAFETY: so.\n"), 0);
    }

    #[test]
    fn other_words_are_not_unsafe() {
        let text = "#![forbid(unsafe_code)]\n// unsafe { }\nlet a = \"unsafe { }\";\n";
        assert_eq!(findings("crates/media/src/lib.rs", text), 0);
        assert_eq!(findings("crates/core/src/sys.rs", "unsafe fn f() {}\n"), 0);
    }
}
