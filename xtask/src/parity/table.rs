//! The rows of the document.

/// Columns of a table of the document, by their heads.
const HEAD: [&str; 4] = ["item", "state", "proved by, or waits for", "note"];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// From 1.
    pub(super) line: usize,
    /// The heading of the second level above it.
    pub(super) section: String,
    /// The heading right above it, of whichever level.
    pub(super) heading: String,
    pub(super) item: String,
    pub(super) state: String,
    pub(super) proof: String,
    pub(super) note: String,
}

impl Row {
    /// Names of tests: what stands in backticks and has a `::`.
    pub(super) fn tests(&self) -> impl Iterator<Item = &str> {
        self.proof.split('`').skip(1).step_by(2).filter(|word| word.contains("::"))
    }
}

/// The document.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// Lines, from 1, that look like rows and aren't, with the reason.
    pub(super) broken: Vec<(usize, &'static str)>,
}

impl Table {
    /// Reads each table that has the columns; other tables are prose.
    pub(super) fn parse(document: &str) -> Self {
        let mut table = Self::default();
        let (mut section, mut heading) = (String::new(), String::new());
        let mut within = false;
        for (index, line) in document.lines().enumerate() {
            if let Some(text) = line.strip_prefix("## ") {
                (section, heading) = (text.to_owned(), text.to_owned());
            } else if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            }
            let Some(cells) = cells(line) else {
                within = false;
                continue;
            };
            if cells == HEAD {
                within = true;
            } else if within && !is_rule(&cells) {
                table.push(index + 1, &section, &heading, &cells);
            }
        }
        table
    }

    fn push(&mut self, line: usize, section: &str, heading: &str, cells: &[&str]) {
        let [item, state, proof, note] = cells else {
            return self.broken.push((line, "a row has four cells"));
        };
        let [section, heading, item, state, proof, note] =
            [section, heading, item, state, proof, note].map(ToString::to_string);
        self.rows.push(Row { line, section, heading, item, state, proof, note });
    }
}

/// The cells of a line of a table. A bar in a cell is written `\|`, and stays so.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = Vec::new();
    let mut from = 0;
    for (at, _) in inner.match_indices('|').filter(|(at, _)| !inner[..*at].ends_with('\\')) {
        cells.push(inner[from..at].trim());
        from = at + 1;
    }
    cells.push(inner[from..].trim());
    Some(cells)
}

/// Whether it is the line below the head.
fn is_rule(cells: &[&str]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
# Parity

| state | means |
|---|---|
| done | a test proves it |

## Producer

### Methods

| item | state | proved by, or waits for | note |
|---|---|---|---|
| `pause()` | done | `a/b::c`, `d::e` | a \\| b |
| `send()` | missing | direct | |
| short | done |
";

    #[test]
    fn rows_are_those_of_tables_with_the_columns() {
        let table = Table::parse(DOCUMENT);
        let row = &table.rows[0];
        assert_eq!((row.line, &*row.section, &*row.heading), (13, "Producer", "Methods"));
        assert_eq!((&*row.item, &*row.state, &*row.note), ("`pause()`", "done", "a \\| b"));
        assert_eq!(row.tests().collect::<Vec<_>>(), ["a/b::c", "d::e"]);
        assert_eq!((&*table.rows[1].proof, table.rows[1].tests().count()), ("direct", 0));
        assert_eq!(table.rows.len(), 2);
    }

    #[test]
    fn a_row_that_lacks_a_cell_is_told() {
        assert_eq!(Table::parse(DOCUMENT).broken, [(15, "a row has four cells")]);
    }
}
