//! Counts of rows by section and state, and of what the missing ones wait for.

use std::fmt::Write as _;

use super::table::Row;
use super::verdict::{MISSING, PARTS, STATES};

/// The counts as a table of text.
pub(super) fn of(rows: &[Row]) -> String {
    let mut sections: Vec<&str> = rows.iter().map(|row| &*row.section).collect();
    sections.dedup();
    let width = sections.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut text = line("", STATES.map(str::to_owned), width);
    for section in sections {
        let of_section: Vec<&Row> = rows.iter().filter(|row| row.section == section).collect();
        text += &line(section, counts(&of_section), width);
    }
    text += &line("all", counts(&rows.iter().collect::<Vec<_>>()), width);
    text + &waits(rows)
}

fn counts(rows: &[&Row]) -> [String; STATES.len()] {
    STATES.map(|state| rows.iter().filter(|row| row.state == state).count().to_string())
}

fn line(name: &str, cells: [String; STATES.len()], width: usize) -> String {
    let mut text = format!("{name:width$}");
    for cell in cells {
        // Writing into a String doesn't fail.
        let _ = write!(text, "  {cell:>7}");
    }
    text + "\n"
}

fn waits(rows: &[Row]) -> String {
    let missing = rows.iter().filter(|row| row.state == MISSING);
    let count = |part: &&str| missing.clone().filter(|row| row.proof == *part).count();
    let parts = PARTS.iter().map(|part| (part, count(part))).filter(|(_, count)| *count > 0);
    let parts: Vec<_> = parts.map(|(part, count)| format!("{part} {count}")).collect();
    if parts.is_empty() { String::new() } else { format!("missing rows wait for: {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;

    #[test]
    fn rows_are_counted_by_section_state_and_part() {
        let head = "| item | state | proved by, or waits for | note |\n";
        let document = format!(
            "## A\n{head}| x | done | | |\n| y | missing | layers | |\n\n## Long name\n{head}| x | differs | | |\n"
        );
        assert_eq!(
            of(&Table::parse(&document).rows),
            "              done  missing  differs\n\
             A                1        1        0\n\
             Long name        0        0        1\n\
             all              1        1        1\n\
             missing rows wait for: layers 1"
        );
    }
}
