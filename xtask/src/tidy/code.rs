//! Code without its comments and literals.
//!
//! Rules that look for words must not find them in prose or in a string. This is no parser: it knows comments, strings and
//! characters, and blanks them out so that every line and column stays where it was.

/// `text` with each comment and the inside of each literal replaced by spaces.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_len(rest, masked.chars().next_back());
        let shown = if hidden == 0 { first.len_utf8() } else { 0 };
        let (piece, tail) = rest.split_at(shown + hidden);
        masked.extend(piece.chars().map(|c| if hidden == 0 || c == '\n' { c } else { ' ' }));
        rest = tail;
    }
    masked
}

/// The length of the comment or literal that `rest` starts with, or 0. `before` is the character in front of it.
fn hidden_len(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment_len(rest)
    } else if rest.starts_with('"') {
        quoted_len(rest, '"')
    } else if rest.starts_with('\'') {
        char_len(rest)
    } else if in_word {
        0
    } else {
        raw_string_len(rest).unwrap_or(0)
    }
}

/// Block comments nest.
fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        let step = if tail.starts_with("/*") {
            depth += 1;
            2
        } else if tail.starts_with("*/") {
            depth -= 1;
            2
        } else {
            tail.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// A string or character with escapes, up to and with its closing quote.
fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; 0 for a lifetime, which has no closing quote after its first character.
fn char_len(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    let (first, second) = (chars.next(), chars.next());
    if first == Some('\\') || second == Some('\'') { quoted_len(rest, '\'') } else { 0 }
}

/// `r"…"`, `r#"…"#`, `br"…"` and so on.
fn raw_string_len(rest: &str) -> Option<usize> {
    let body =
        rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
    Some(rest.len() - inside.len() + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left to see.
    fn seen(text: &str) -> String {
        let masked = mask(text);
        assert_eq!(masked.lines().count(), text.lines().count());
        masked.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_hidden() {
        assert_eq!(seen("a // todo!\nb /* x /* y */ \n z */ c"), "a b c");
        assert_eq!(seen("/// ünsafe\nfn"), "fn");
    }

    #[test]
    fn literals_are_hidden() {
        assert_eq!(seen(r#"a("todo!() \" // x") b"#), "a( ) b");
        assert_eq!(seen("a(r#\"todo!(\"x\")\"#) b(br\"y\\\") c"), "a( ) b( ) c");
        assert_eq!(seen(r"a('\'') b('/') c(b'x')"), "a( ) b( ) c(b )");
    }

    #[test]
    fn lifetimes_and_names_stay() {
        assert_eq!(seen("fn f<'a>(x: &'a str) -> r#type { bar }"), "fn f<'a>(x: &'a str) -> r#type { bar }");
    }
}
