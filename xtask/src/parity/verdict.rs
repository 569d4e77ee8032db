//! What a row must have to hold.

use std::collections::BTreeSet;
use std::fmt;

use super::inventory::Inventory;
use super::table::{Row, Table};

pub(super) const DONE: &str = "done";
pub(super) const MISSING: &str = "missing";
pub(super) const DIFFERS: &str = "differs";

pub(super) const STATES: [&str; 3] = [DONE, MISSING, DIFFERS];

/// What a missing row can wait for: parts of the engine that are still to come.
pub(super) const PARTS: [&str; 10] = [
    "layers",
    "bandwidth",
    "SCTP",
    "pipe",
    "direct",
    "observers",
    "statistics",
    "codecs",
    "listening",
    "handles",
];

/// A row that doesn't hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

pub(super) fn check(table: &Table, inventory: &Inventory) -> Vec<Finding> {
    let broken = table.broken.iter();
    let mut findings: Vec<_> =
        broken.map(|(line, message)| Finding { line: *line, message: (*message).into() }).collect();
    let mut seen = BTreeSet::new();
    for row in &table.rows {
        if !seen.insert((&row.section, &row.heading, &row.item)) {
            let message = format!("{} is there already, under `{}`", row.item, row.heading);
            findings.push(Finding { line: row.line, message });
        }
        let messages = check_row(row, inventory);
        findings.extend(messages.into_iter().map(|message| Finding { line: row.line, message }));
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn check_row(row: &Row, inventory: &Inventory) -> Vec<String> {
    let mut messages: Vec<_> = row.tests().filter_map(|name| check_test(name, inventory)).collect();
    let needed = match &*row.state {
        DONE if row.tests().next().is_none() => Some("what is done names the test that proves it".to_owned()),
        MISSING if !PARTS.contains(&&*row.proof) => {
            Some(format!("what is missing waits for one of {}", PARTS.join(", ")))
        }
        DIFFERS if row.note.is_empty() => Some("what differs says why".to_owned()),
        state if !STATES.contains(&state) => {
            Some(format!("`{state}` is none of the states {}", STATES.join(", ")))
        }
        _ => None,
    };
    messages.extend(needed.map(|message| format!("{}: {message}", row.item)));
    messages
}

/// What is wrong with the name of a test, if it is not there.
fn check_test(name: &str, inventory: &Inventory) -> Option<String> {
    if inventory.has(name) {
        return None;
    }
    Some(match &inventory.namesakes(name)[..] {
        [] => format!("there is no test `{name}`"),
        names => format!("there is no test `{name}`, but `{}`", names.join("`, `")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Findings of a table with these rows, as text.
    fn findings(rows: &str) -> Vec<String> {
        let head = "## Producer\n| item | state | proved by, or waits for | note |\n|---|---|---|---|\n";
        let inventory = Inventory::of(&["a/b::c"]);
        check(&Table::parse(&format!("{head}{rows}")), &inventory).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_that_hold_are_not_told() {
        let rows = "| x | done | `a/b::c` | |\n| y | missing | layers | |\n| z | differs | | Rust drops |\n";
        assert_eq!(findings(rows), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_is_not_there_fails() {
        assert_eq!(
            findings("| x | done | `a/b::d` | |\n| y | differs | `b::c` | why |\n"),
            ["4: there is no test `a/b::d`", "5: there is no test `b::c`, but `a/b::c`"]
        );
    }

    #[test]
    fn each_state_needs_its_reason() {
        for (row, needed) in [
            ("| x | done | by hand | |", "names the test"),
            ("| x | missing | | |", "waits for one of"),
            ("| x | missing | luck | |", "waits for one of"),
            ("| x | missing | `a/b::c` | |", "waits for one of"),
            ("| x | differs | | |", "says why"),
            ("| x | half | `a/b::c` | |", "none of the states"),
            ("| x | done | `a/b::c` |", "four cells"),
        ] {
            let findings = findings(row);
            assert!(matches!(&findings[..], [one] if one.contains(needed)), "{row}: {findings:?}");
        }
    }

    #[test]
    fn what_is_there_twice_fails_but_not_under_another_heading() {
        let row = "| x | done | `a/b::c` | |\n";
        let head = "### Events\n| item | state | proved by, or waits for | note |\n|---|---|---|---|\n";
        assert_eq!(findings(&format!("{row}{row}")).len(), 1);
        assert!(findings(&format!("{row}\n{head}{row}")).is_empty());
    }
}
