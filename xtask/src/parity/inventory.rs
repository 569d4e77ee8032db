//! The tests that are there, by the names that the document calls them.
//!
//! A name is the path of the file, without what all have in common, then `::` and the test:
//!
//! | file | test | name |
//! |---|---|---|
//! | `crates/media/src/stream/nack/tests.rs` | `fn too_old` | `media/stream/nack::too_old` |
//! | `crates/api/tests/handles/calls.rs` | `fn once` | `api/tests/handles/calls::once` |
//! | `tests/acceptance/producer.rs` | body `pauses` | `acceptance/producer::pauses` |
//! | `tests/browser/page.test.mjs` | `test('who leaves vanishes'` | `browser/page::who leaves vanishes` |
//! | `tests/interop/aiortc/test_room.py` | `async def talk` | `interop/aiortc/test_room::talk` |
//!
//! This is no parser: it knows tests by the lines that make them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::tidy::{code, source};
use crate::workspace::Workspace;

/// Macros that make a test of each line of their list. The first word of the line is its name.
const LISTS: [&str; 2] = ["on_each_backend! {", "same_json! {"];

/// Folder of the tests that aren't in Rust.
const SCRIPTS: &str = "tests";

/// Every test of the repository.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    names: BTreeSet<String>,
}

impl Inventory {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let mut inventory = Self::default();
        for source in source::read(workspace)? {
            inventory.add(&source.path, &rust_tests(&code::mask(&source.text)));
        }
        inventory.add_scripts(workspace, &workspace.path(SCRIPTS))?;
        Ok(inventory)
    }

    #[cfg(test)]
    pub(super) fn of(names: &[&str]) -> Self {
        Self { names: names.iter().map(ToString::to_string).collect() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Names of tests that are called the same but lie elsewhere.
    pub(super) fn namesakes(&self, name: &str) -> Vec<&str> {
        let called = |name: &str| name.rsplit_once("::").map_or(String::new(), |(_, test)| test.to_owned());
        self.names.iter().map(String::as_str).filter(|other| called(other) == called(name)).collect()
    }

    fn add(&mut self, path: &str, tests: &[String]) {
        let place = place(path);
        self.names.extend(tests.iter().map(|test| format!("{place}::{test}")));
    }

    fn add_scripts(&mut self, workspace: &Workspace, dir: &Path) -> Result<()> {
        let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !matches!(&*name, "node_modules" | "target") {
                self.add_scripts(workspace, &path)?;
            } else if let Some(tests) = script_tests(&name) {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                self.add(&workspace.relative(&path), &tests(&text));
            }
        }
        Ok(())
    }
}

/// What a file's tests are found by, if it has any by its name.
fn script_tests(name: &str) -> Option<fn(&str) -> Vec<String>> {
    if name.ends_with(".test.mjs") {
        Some(node_tests)
    } else if name.starts_with("test_") && name.ends_with(".py") {
        Some(python_tests)
    } else {
        None
    }
}

/// The path of a file without what all have in common.
fn place(path: &str) -> String {
    let path = path.strip_prefix("crates/").or_else(|| path.strip_prefix("tests/")).unwrap_or(path);
    let path = path.replacen("/src/", "/", 1);
    let path = [".rs", ".test.mjs", ".py"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(&path);
    path.strip_suffix("/tests").unwrap_or(path).to_owned()
}

/// Functions under a `test` attribute, and the lists of macros that make tests. `code` has neither comments nor literals.
fn rust_tests(code: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let (mut is_next, mut in_list) = (false, false);
    for line in code.lines().map(str::trim) {
        in_list = (in_list && line != "}") || LISTS.contains(&line);
        is_next |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if in_list && !line.starts_with('#') && line.ends_with(',') {
            tests.extend(word(line));
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_next) {
            tests.extend(word(rest));
            is_next = false;
        }
    }
    tests
}

/// Titles that are given to `test` or `step` at the beginning of a line.
fn node_tests(text: &str) -> Vec<String> {
    let calls = text.lines().filter_map(|line| line.strip_prefix("test('").or(line.strip_prefix("step('")));
    calls.filter_map(|rest| rest.split_once('\'')).map(|(title, _)| title.to_owned()).collect()
}

/// Coroutines of a script.
fn python_tests(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| word(line.strip_prefix("async def ")?)).collect()
}

/// The name that a text begins with.
fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_short() {
        for (path, expected) in [
            ("crates/media/src/stream/nack/tests.rs", "media/stream/nack"),
            ("crates/media/src/stream/nack.rs", "media/stream/nack"),
            ("crates/api/tests/handles/calls.rs", "api/tests/handles/calls"),
            ("tests/acceptance/producer.rs", "acceptance/producer"),
            ("tests/browser/page.test.mjs", "browser/page"),
            ("tests/interop/aiortc/test_room.py", "interop/aiortc/test_room"),
            ("xtask/src/parity/table.rs", "xtask/parity/table"),
        ] {
            assert_eq!(place(path), expected);
        }
    }

    #[test]
    fn tests_of_rust_are_functions_and_lists() {
        let text = "
            fn helper() {}
            #[test]
            #[cfg(unix)]
            fn one() {}
            fn helper_of_one() {}
            #[tokio::test]
            async fn two() {}
            on_each_backend! {
                #[cfg(unix)]
                three,
                four,
            }
            same_json! {
                five: a::B,
            }
            async fn three() {}
            struct Six { field: u8, }";
        assert_eq!(rust_tests(text), ["one", "two", "three", "four", "five"]);
    }

    #[test]
    fn tests_of_scripts_are_their_titles_and_coroutines() {
        assert_eq!(node_tests("step('a b', async () => {\n test('no'\ntest('c', { x }"), ["a b", "c"]);
        assert_eq!(python_tests("async def talk(port: int):\ndef helper():\n"), ["talk"]);
        assert!(script_tests("demo.mjs").is_none() && script_tests("client.py").is_none());
    }

    #[test]
    fn this_repository_has_tests_of_each_kind() {
        let inventory = Inventory::read(&Workspace::find().unwrap()).unwrap();
        for name in [
            "xtask/parity/inventory::this_repository_has_tests_of_each_kind",
            "acceptance/producer::it_pauses_and_resumes",
            "api/tests/json_parity/main::listen_info",
            "media/stream/nack::what_is_too_old_is_given_up",
            "browser/conference::who leaves vanishes",
            "interop/aiortc/test_conference::conference",
        ] {
            assert!(inventory.has(name), "{name}");
        }
        let elsewhere = inventory.namesakes("acceptance/x::it_pauses_and_resumes");
        assert!(elsewhere.contains(&"acceptance/producer::it_pauses_and_resumes"), "{elsewhere:?}");
    }
}
