//! What was reached of each crate, without the tests in its files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use super::COUNTED;
use super::lcov::File;
use crate::tidy::source::Source;
use crate::workspace::Workspace;

/// How much of a whole.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    reached: usize,
    all: usize,
}

impl Share {
    fn of(parts: &BTreeMap<usize, bool>) -> Self {
        Self { reached: parts.values().filter(|reached| **reached).count(), all: parts.len() }
    }

    fn plus(self, other: Self) -> Self {
        Self { reached: self.reached + other.reached, all: self.all + other.all }
    }

    /// In percent with one place, cut and not rounded: 100 is all.
    fn percent(self) -> f64 {
        match self.all {
            0 => 100.0,
            all => (self.reached * 1000 / all) as f64 / 10.0,
        }
    }
}

/// What no test reaches in a file.
#[derive(Debug)]
struct Gap {
    path: String,
    /// Where functions begin, with that line of the file.
    functions: Vec<(usize, String)>,
    /// From and to, both included.
    lines: Vec<(usize, usize)>,
}

/// Lines and functions of each crate, and its gaps.
#[derive(Debug, Default)]
pub(super) struct Summary {
    crates: BTreeMap<&'static str, (Share, Share)>,
    gaps: Vec<Gap>,
}

#[derive(Serialize)]
struct Json<'a> {
    crates: BTreeMap<&'a str, Figures>,
}

#[derive(Serialize)]
struct Figures {
    lines: f64,
    functions: f64,
}

impl Summary {
    /// Sorts the files by their crates. Files of other crates, and of tests, are left out.
    pub(super) fn of(workspace: &Workspace, files: &[File]) -> Result<Self> {
        let mut summary = Self::default();
        for file in files {
            let path = workspace.relative(file.path.as_ref());
            if COUNTED.iter().any(|(_, folder)| path.starts_with(folder)) {
                let text = fs::read_to_string(workspace.path(&path)).with_context(|| path.clone())?;
                summary.add(&Source::new(path, text), file.clone());
            }
        }
        Ok(summary)
    }

    fn add(&mut self, source: &Source, mut file: File) {
        let counted = COUNTED.iter().find(|(_, folder)| source.path.starts_with(folder));
        let Some((name, _)) = counted.filter(|_| !source.is_test()) else { return };
        let end = end_of_code(source);
        file.lines.retain(|line, _| *line < end);
        file.functions.retain(|line, _| *line < end);
        let (lines, functions) = self.crates.entry(name).or_default();
        *lines = lines.plus(Share::of(&file.lines));
        *functions = functions.plus(Share::of(&file.functions));
        self.gaps.extend(gap(source, &file));
    }

    /// A line per crate.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{:<14}  {:>7}  {:>9}\n", "crate", "lines", "functions");
        for (name, (lines, functions)) in &self.crates {
            // Writing into a String doesn't fail.
            let _ = writeln!(
                text,
                "{name:<14}  {:>6.1}%  {:>8.1}%  of {} and {}",
                lines.percent(),
                functions.percent(),
                lines.all,
                functions.all
            );
        }
        text
    }

    /// Functions and lines that no test reaches, by file.
    pub(super) fn missing(&self) -> String {
        let mut text = String::new();
        for gap in &self.gaps {
            let range = |(from, to): &(usize, usize)| match from == to {
                true => from.to_string(),
                false => format!("{from}-{to}"),
            };
            let lines: Vec<_> = gap.lines.iter().map(range).collect();
            let _ = writeln!(text, "{}: {}", gap.path, lines.join(", "));
            for (line, function) in &gap.functions {
                let _ = writeln!(text, "    {line}: {function}");
            }
        }
        text
    }

    pub(super) fn json(&self) -> Result<String> {
        let figures = |(lines, functions): &(Share, Share)| Figures {
            lines: lines.percent(),
            functions: functions.percent(),
        };
        let crates = self.crates.iter().map(|(name, shares)| (*name, figures(shares))).collect();
        Ok(serde_json::to_string_pretty(&Json { crates })? + "\n")
    }
}

/// The line, from 1, at which the tests of a file begin; behind the last if it has none. They come last.
fn end_of_code(source: &Source) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let begins =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(begins).map_or(lines.len() + 1, |at| at + 1)
}

fn gap(source: &Source, file: &File) -> Option<Gap> {
    let functions = file
        .functions
        .iter()
        .filter(|(_, reached)| !**reached)
        .map(|(line, _)| (*line, source.lines().nth(line - 1).unwrap_or_default().trim().to_owned()));
    let (mut lines, mut follows) = (Vec::<(usize, usize)>::new(), false);
    for (line, reached) in &file.lines {
        match lines.last_mut().filter(|_| follows && !reached) {
            Some((_, to)) => *to = *line,
            None if !reached => lines.push((*line, *line)),
            None => {}
        }
        follows = !reached;
    }
    let gap = Gap { path: source.path.clone(), functions: functions.collect(), lines };
    (!gap.lines.is_empty() || !gap.functions.is_empty()).then_some(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "fn one() {\n}\n\nfn two() {\n    three();\n}\n\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\n";

    fn file(lines: &[(usize, bool)], functions: &[(usize, bool)]) -> File {
        let (lines, functions) = (lines.iter().copied().collect(), functions.iter().copied().collect());
        File { path: String::new(), lines, functions }
    }

    fn summary(path: &str) -> Summary {
        let mut summary = Summary::default();
        let lines = [(1, true), (2, true), (4, false), (5, false), (6, false), (10, false)];
        summary.add(&Source::new(path, TEXT), file(&lines, &[(1, true), (4, false), (10, false)]));
        summary
    }

    #[test]
    fn code_is_counted_without_the_tests_behind_it() {
        let summary = summary("crates/core/src/a.rs");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&summary.json().unwrap()).unwrap(),
            serde_json::json!({ "crates": { "mafalda-core": { "lines": 40.0, "functions": 50.0 } } })
        );
        assert!(
            summary.table().contains("mafalda-core      40.0%      50.0%  of 5 and 2"),
            "{}",
            summary.table()
        );
        assert_eq!(summary.missing(), "crates/core/src/a.rs: 4-6\n    4: fn two() {\n");
    }

    #[test]
    fn files_of_tests_and_of_other_crates_are_not_counted() {
        for path in ["crates/core/src/a/tests.rs", "crates/net/src/a.rs"] {
            assert!(summary(path).crates.is_empty(), "{path}");
        }
    }

    #[test]
    fn not_quite_all_is_not_all() {
        assert_eq!(Share { reached: 9_999, all: 10_000 }.percent(), 99.9);
        assert_eq!(Share { reached: 0, all: 0 }.percent(), 100.0);
    }
}
