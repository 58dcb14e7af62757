//! Inventories as files: the examples are good, and every bad one gives its golden error.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail like the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kfleet::cli::inventory_report;
use kfleet::inventory::{Inventory, InventoryError, Role, Workstation};
use proptest::prelude::*;

fn workstation() -> Workstation {
    Workstation { user: Some("admin".to_owned()), home: Some(PathBuf::from("/home/admin")) }
}

fn parse(text: &str) -> Result<Inventory, InventoryError> {
    Inventory::parse(text, Path::new("fleet/inventory.toml"), &workstation())
}

fn files(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn every_bad_inventory_gives_its_golden_error() {
    for path in files("tests/bad_inventories") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let error = Inventory::load_on(&path, &workstation()).expect_err(name);
        insta::assert_snapshot!(name, inventory_report::plain(&error));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for (path, name) in [("tests/no-such-inventory.toml", "no-such-file"), ("tests", "directory")] {
        let error = Inventory::load(Path::new(path)).unwrap_err();
        insta::assert_snapshot!(name, inventory_report::plain(&error));
    }
    // No end of it is ever reached.
    let error = Inventory::load(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(error.to_string(), "/dev/zero: larger than 4 MiB, which is no inventory");
}

#[test]
fn a_machine_that_does_not_know_its_user_wants_one_named() {
    let nobody = Workstation { user: None, home: None };
    let error = Inventory::load_on(Path::new("inventory/minimal.toml"), &nobody).unwrap_err();
    insta::assert_snapshot!("no-user", inventory_report::plain(&error));
    assert!(Inventory::load_on(Path::new("inventory/example.toml"), &nobody).is_ok());
}

#[test]
fn a_flood_of_problems_is_cut() {
    let unknown: String = (0..30).map(|nth| format!("zzz{nth} = 1\n")).collect();
    let error =
        parse(&format!("{unknown}[cluster]\nname = \"lab\"\n[[hosts]]\nname = \"a\"\nrole = \"control-plane\"\n"))
            .unwrap_err();
    assert_eq!(error.problems().len(), 30);
    assert!(inventory_report::plain(&error).ends_with("\n  and 10 more problems\n"));
}

#[test]
fn the_examples_are_good() {
    for path in files("inventory") {
        let inventory = Inventory::load_on(&path, &workstation()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            inventory.hosts.iter().filter(|host| host.role == Role::ControlPlane).count(),
            1,
            "{}",
            path.display()
        );
    }
}

/// The defaults of everything, and every key read.
#[test]
fn the_examples_mean_what_they_say() {
    insta::assert_debug_snapshot!("minimal", parse(include_str!("../inventory/minimal.toml")).unwrap());
    insta::assert_debug_snapshot!("example", parse(EXAMPLE).unwrap());
    insta::assert_debug_snapshot!("example-uncommented", parse(&uncommented(EXAMPLE)).unwrap());
}

/// The example with every key that it comments out.
fn uncommented(text: &str) -> String {
    let mut in_string = false;
    let line = |line: &str| {
        let Some(comment) = line.strip_prefix("# ") else { return format!("{line}\n") };
        let is_key =
            comment.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let shown = is_key || in_string;
        if shown && comment.contains("\"\"\"") {
            in_string = !in_string;
        }
        format!("{}{comment}\n", if shown { "" } else { "# " })
    };
    text.lines().map(line).collect()
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = fs::read_to_string("inventory/minimal.toml").unwrap();
    let unix = parse(&text).unwrap();
    assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap(), unix);
    assert_eq!(parse(&format!("\u{feff}{text}")).unwrap(), unix);
}

#[test]
fn colour_says_what_plain_says() {
    let error = Inventory::load_on(Path::new("tests/bad_inventories/duplicate-name.toml"), &workstation()).unwrap_err();
    let coloured = inventory_report::coloured(&error);
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&coloured), inventory_report::plain(&error));
}

#[test]
fn a_thousand_hosts_are_read_at_once() {
    let text = "[cluster]\nname = \"lab\"\npod_cidr = \"10.128.0.0/12\"\n\n[[hosts]]\nname = \"node0\"\nrole = \"control-plane\"\n\n\
                [[hosts]]\nname = \"node[1-1000]\"\naddress = \"node[1-1000].lan\"\n";
    let started = Instant::now();
    assert_eq!(parse(text).unwrap().hosts.len(), 1_001);
    // Milliseconds, unless each host were held against each other one.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,80}") {
        report(&text)?;
    }

    /// Words of the schema in any order get further than letters do.
    #[test]
    fn no_mixture_of_its_words_is_a_panic(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)) {
        report(&words.concat())?;
    }

    /// An example with bytes cut out, doubled or put in, as an editor or a merge leaves it.
    #[test]
    fn no_mutation_of_an_example_is_a_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[\\[\\]\"'=,{}\\-0-9a-z\n. é]{0,4}"), 1..6),
    ) {
        let mut text: Vec<char> = EXAMPLE.chars().collect();
        for (at, cut, put_in) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, put_in.chars());
        }
        report(&text.into_iter().collect::<String>())?;
    }
}

const EXAMPLE: &str = include_str!("../inventory/example.toml");

const WORDS: &[&str] = &[
    "[cluster]\n",
    "[ssh]\n",
    "[[hosts]]\n",
    "[kernel]\n",
    "[firewall]\n",
    "[hosts_file]\n",
    "name = ",
    "address = ",
    "role = ",
    "node_ip = ",
    "pod_cidr = ",
    "service_cidr = ",
    "sysctls = ",
    "entries = ",
    "ports = ",
    "\"node[1-9]\"\n",
    "\"10.0.0.[1-9]\"\n",
    "\"control-plane\"\n",
    "\"10.244.0.0/16\"\n",
    "\"::/0\"\n",
    "\"0.0.0.0/0\"\n",
    "[\"6443/tcp\"]\n",
    "{ \"a.b\" = 1 }\n",
    "1\n",
    "\"\"\n",
    "[[]]\n",
    "[{}]\n",
    "\u{feff}",
    "\r\n",
    "\0",
];

/// Whatever is read is an inventory or an error whose every place can be drawn.
fn report(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(inventory) => prop_assert!(!inventory.hosts.is_empty()),
        Err(error) => {
            prop_assert!(!error.problems().is_empty());
            for label in error.problems().iter().flat_map(|problem| &problem.labels) {
                prop_assert!(error.text().get(label.span.clone()).is_some(), "{:?} in {:?}", label, text);
            }
            let terminal_spoken_to = inventory_report::plain(&error).contains('\x1b');
            prop_assert!(!terminal_spoken_to);
        }
    }
    Ok(())
}
