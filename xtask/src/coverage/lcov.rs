//! The trace format of LCOV, as far as LLVM writes it: which lines and functions of a file ran, and how often.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// One file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: String,
    /// Whether each line that has code ran. From 1.
    pub(super) lines: BTreeMap<usize, bool>,
    /// Whether the functions that begin on a line ran. A generic function is many for the compiler and one here: that one of
    /// them ran is enough.
    pub(super) functions: BTreeMap<usize, bool>,
}

/// Reads the files of a trace. Records that aren't known say nothing about lines and functions.
pub(super) fn parse(text: &str) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut file = File::default();
    let mut begins = BTreeMap::new();
    for line in text.lines() {
        let (kind, rest) = line.split_once(':').unwrap_or((line, ""));
        match kind {
            "SF" => file.path = rest.to_owned(),
            "FN" => {
                let (at, name) = numbered(rest)?;
                begins.insert(name, at);
                file.functions.entry(at).or_default();
            }
            "FNDA" => {
                let (count, name) = numbered(rest)?;
                let at =
                    begins.get(name).with_context(|| format!("{name} ran without having been told of"))?;
                *file.functions.entry(*at).or_default() |= count > 0;
            }
            "DA" => {
                let (at, count) = numbered(rest)?;
                file.lines.insert(at, count != "0");
            }
            "end_of_record" => {
                begins.clear();
                files.push(std::mem::take(&mut file));
            }
            _ => {}
        }
    }
    Ok(files)
}

/// A number and what stands behind its comma.
fn numbered(text: &str) -> Result<(usize, &str)> {
    let (number, rest) = text.split_once(',').with_context(|| format!("no comma in {text}"))?;
    Ok((number.parse().with_context(|| format!("no number in {text}"))?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_functions_are_read() {
        let text = "SF:/a/b.rs\nFN:3,one\nFN:3,one_again\nFN:9,two\nFNDA:0,one\nFNDA:2,one_again\nFNDA:0,two\n\
                    FNF:3\nDA:3,2\nDA:9,0\nBRDA:1,2,3,-\nLF:2\nend_of_record\nSF:/c.rs\nend_of_record\n";
        let files = parse(text).unwrap();
        assert_eq!((files.len(), &*files[0].path, &*files[1].path), (2, "/a/b.rs", "/c.rs"));
        assert_eq!(files[0].lines, BTreeMap::from([(3, true), (9, false)]));
        assert_eq!(files[0].functions, BTreeMap::from([(3, true), (9, false)]), "one of the first two ran");
        assert_eq!(files[1].lines.len(), 0);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        assert!(parse("DA:3").is_err());
        assert!(parse("FN:x,one").is_err());
        assert!(parse("FNDA:1,nobody").is_err());
    }
}
