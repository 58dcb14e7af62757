//! Holds the source against the map of the house in src/lib.rs: who may use whom, and who alone knows which crate.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Crates that one place alone may name, so that replacing one is work in one place. Prefixes of paths below src/.
const KNOWN_TO_ONE: [(&str, &str); 7] = [
    ("russh", "ssh/"),
    ("indicatif", "ui/"),
    ("clap", "cli/"),
    ("clap_complete", "cli/"),
    ("clap_mangen", "cli/"),
    ("rcgen", "cluster/pki.rs"),
    ("rustyline", "cli/shell/prompt.rs"),
];

/// Rooms by name, as the table in lib.rs has them.
type Floors = BTreeMap<String, u8>;

#[test]
fn rooms_use_only_rooms_below_them() {
    let floors = floors();
    let complaints: Vec<String> =
        sources().iter().flat_map(|(path, code)| misplaced_uses(path, code, &floors)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_crate_with_one_keeper_is_named_by_no_other() {
    let complaints: Vec<String> = sources().iter().flat_map(|(path, code)| misplaced_crates(path, code)).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Any other way would hand on the variables that have passwords.
#[test]
fn programs_of_this_machine_are_started_in_one_place() {
    let others = sources()
        .into_iter()
        .filter(|(path, code)| path != "base/local_command.rs" && !path.contains("/tests/") && makes_commands(code));
    let others: Vec<String> = others.map(|(path, _)| path).collect();
    assert!(others.is_empty(), "{others:?} make a process's Command: use base::local_command there");
}

fn makes_commands(code: &str) -> bool {
    let code = product_code(code).replace("tokio::process::Command::from(", "");
    let named = r"\bprocess::(\{[^}]*)?\b(Command|\*|self)|\buse (std|tokio)::\{[^;]*\bprocess\b";
    Regex::new(named).unwrap().is_match(&code)
}

#[test]
fn every_room_is_on_the_map() {
    let declared = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    let mut rooms: Vec<&str> = declared.captures_iter(&lib).map(|found| found.get(1).unwrap().as_str()).collect();
    rooms.sort_unstable();
    let floors = floors();
    assert_eq!(rooms, floors.keys().collect::<Vec<_>>(), "each `pub mod` of lib.rs has its row in the table above it");
}

#[test]
fn the_rules_catch_what_they_are_for() {
    let floors = floors();
    let wrong = [
        ("steps/kernel.rs", "use crate::plan::Recipe;"),
        ("steps/kernel.rs", "use crate::ssh::Client;"),
        ("base/tail.rs", "use crate::events::Event;"),
        ("facts/model.rs", "fn f(host: &crate::host::Host) {}"),
        ("ui/plain.rs", "use crate::{\n    base::quote,\n    cli::{self, Exit},\n};"),
        ("ui/plain.rs", "use super::super::cli::Exit;"),
        ("ui/mod.rs", "use super::cli::Exit;"),
        ("ssh/auth/agent.rs", "use super::super::super::plan;"),
    ];
    for (path, code) in wrong {
        assert_eq!(misplaced_uses(path, code, &floors).len(), 1, "{path}: {code}");
    }
    let right = [
        ("cli/up.rs", "use crate::{base::quote, engine::{self, cli}, ui::Look};"),
        ("ui/plain.rs", "use super::Look; // crate::cli decides\n/// as [`crate::cli`]\nuse crate::ui::screen::Size;"),
        ("ssh/auth/agent.rs", "use super::super::client;"),
        ("base/tail.rs", "#[cfg(test)]\nmod tests {\n    use crate::host::Host;\n}\n"),
    ];
    for (path, code) in right {
        assert_eq!(misplaced_uses(path, code, &floors), Vec::<String>::new(), "{path}: {code}");
    }
    for (path, code) in [
        ("host/connection.rs", "use russh::client;"),
        ("engine/up.rs", "fn f(bar: &indicatif::ProgressBar) {}"),
        ("ui/look.rs", "#[derive(clap::Args)]"),
        ("cluster/join.rs", "use rcgen;"),
    ] {
        assert_eq!(misplaced_crates(path, code).len(), 1, "{path}: {code}");
    }
    assert_eq!(misplaced_crates("cluster/pki.rs", "use rcgen::KeyPair;"), Vec::<String>::new());
    for code in
        ["use std::process::{self, Stdio};", "tokio::process::Command::new(x)", "use std::process::{Child,\nCommand};"]
    {
        assert!(makes_commands(code), "{code}");
    }
    assert!(!makes_commands("use std::process::{ExitCode, Stdio}; // process::Command\nuse clap::Command;"));
}

/// What `code` in `path` (below src/) uses without being above it.
fn misplaced_uses(path: &str, code: &str, floors: &Floors) -> Vec<String> {
    let Some((room, _)) = path.split_once('/') else { return Vec::new() };
    let floor = floors.get(room).unwrap_or_else(|| panic!("src/{room}/ is not in the table of src/lib.rs"));
    let mut complaints = Vec::new();
    for (line, used) in rooms_used(path, &product_code(code), floors) {
        let below = &floors[&used];
        if used != room && below >= floor {
            complaints.push(format!(
                "src/{path}:{line}: {room} (floor {floor}) uses {used} (floor {below}). A room uses only rooms on lower \
                 floors (the table in src/lib.rs): move what both need to a lower room, or have a higher room hand it in."
            ));
        }
    }
    complaints
}

/// The rooms that paths in `code` lead to through the crate's root, with their lines.
fn rooms_used(path: &str, code: &str, floors: &Floors) -> Vec<(usize, String)> {
    // A module's depth is the number of `super::` that lead to the root.
    let depth = path.matches('/').count() + usize::from(!path.ends_with("/mod.rs"));
    let to_root = Regex::new(r"\b(crate::|(?:super::)+)").unwrap();
    let mut used = Vec::new();
    for found in to_root.find_iter(code) {
        let is_root = found.as_str() == "crate::" || found.as_str().matches("super").count() == depth;
        if is_root {
            let names = first_names(&code[found.end()..]);
            let line = code[..found.start()].matches('\n').count() + 1;
            used.extend(names.into_iter().filter(|name| floors.contains_key(name)).map(|name| (line, name)));
        }
    }
    used
}

/// The first name of `a::b`, or of each path in `{a::b, c::{d, e}}`.
fn first_names(rest: &str) -> Vec<String> {
    let name = |path: &str| path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = vec![name(group)];
    let mut depth = 1;
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[index + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Crates that `code` in `path` names and should not.
fn misplaced_crates(path: &str, code: &str) -> Vec<String> {
    let code = product_code(code);
    let mut complaints = Vec::new();
    for (name, keeper) in KNOWN_TO_ONE {
        let named = Regex::new(&format!(r"\b{name}::|\buse {name}\b")).unwrap();
        if let Some(found) = named.find(&code).filter(|_| !path.starts_with(keeper)) {
            let line = code[..found.start()].matches('\n').count() + 1;
            complaints.push(format!(
                "src/{path}:{line}: names {name}, which src/{keeper} alone knows: give it there a type or function of ours, \
                 and use that here."
            ));
        }
    }
    complaints
}

/// `code` without comments and without its unit tests, which may reach for any room; line numbers stay.
fn product_code(code: &str) -> String {
    let tests = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
    let comment = Regex::new(r"//[^\n]*").unwrap();
    comment.replace_all(&code[..tests], "").into_owned()
}

fn floors() -> Floors {
    let row = Regex::new(r"(?m)^//! \| (\d) \| \[`(\w+)`\] \|").unwrap();
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    row.captures_iter(&lib).map(|found| (found[2].to_owned(), found[1].parse().unwrap())).collect()
}

/// Every source file of a room by its path below src/, except files that are unit tests as a whole.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&src(), &mut files);
    let test_file = Regex::new(r"#\[cfg\(test\)\]\nmod (\w+);").unwrap();
    let tests: Vec<PathBuf> = files
        .iter()
        .flat_map(|path| {
            let code = fs::read_to_string(path).unwrap();
            let names: Vec<String> = test_file.captures_iter(&code).map(|found| found[1].to_owned()).collect();
            names.into_iter().map(|name| path.with_file_name(format!("{name}.rs")))
        })
        .collect();
    files.retain(|path| !tests.contains(path));
    assert!(files.len() > 20, "the sources were not found");
    files
        .iter()
        .map(|path| {
            let below = path.strip_prefix(src()).unwrap().to_str().unwrap();
            (below.to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
