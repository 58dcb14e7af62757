//! kfleet's node sets against those of ClusterShell, whose notation they are: the same names in the same order, folded to
//! the same text.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; one that cannot run here says so"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use kfleet::nodes::{Expression, Known, NodeSet};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

#[test]
fn expressions_come_to_what_clustershell_makes_of_them() {
    let expressions = some(3_000, expression());
    let Some(answers) = clustershell(&expressions) else { return };
    for (expression, answer) in expressions.iter().zip(answers) {
        let names = Expression::parse(expression).and_then(|set| set.evaluate(Some(&known())));
        let names = names.unwrap_or_else(|error| panic!("{expression}: {error:?}, but there it is {answer}"));
        let ours = serde_json::json!([names.fold(), names.list(), names.len()]);
        assert_eq!(ours, answer, "{expression}");
    }
}

#[test]
fn names_fold_to_what_clustershell_folds_them_to() {
    let lists = some(1_500, prop::collection::vec(name(), 1..60));
    let Some(answers) = clustershell(&lists.iter().map(|names| names.join(",")).collect::<Vec<_>>()) else { return };
    for (names, answer) in lists.iter().zip(answers) {
        assert_eq!(NodeSet::fold(names.iter().map(String::as_str)), answer[0], "{names:?}");
    }
}

#[test]
fn what_clustershell_refuses_is_refused() {
    let wrong: Vec<_> = [
        "a,",
        ",a",
        "a,,b",
        "a!",
        "!a",
        "a&&b",
        "a^",
        "n[1-3",
        "n1]",
        "n[[1]]",
        "n[]",
        "n[1,]",
        "n[a]",
        "n[5-1]",
        "n[1-5/0]",
        "n[1-5/x]",
        "n[5/2]",
        "n[1-020]",
        "n[01-100]",
        "n[0-09]",
        "n[1-3!2]",
        "n[1-2],",
        "n[1]]",
        "a]b[1",
    ]
    .map(str::to_owned)
    .into();
    let Some(answers) = clustershell(&wrong) else { return };
    for (text, answer) in wrong.iter().zip(answers) {
        assert!(answer.get("error").is_some(), "{text}: {answer}");
        assert!(Expression::parse(text).is_err(), "{text}");
    }
}

/// What ClusterShell says of each text; `None` where there is none on this machine.
fn clustershell(texts: &[String]) -> Option<Vec<Value>> {
    let there = Command::new("python3").args(["-c", "import ClusterShell"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!("left out: there is no ClusterShell for python3 on this machine");
        return None;
    }
    let mut groups = known().groups;
    groups.insert("all".to_owned(), known().names);
    let mut input = format!("{}\n", serde_json::to_string(&groups).unwrap());
    texts.iter().for_each(|text| input.push_str(&format!("{text}\n")));
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("fixtures/nodeset.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<_> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), texts.len());
    Some(answers)
}

fn known() -> Known {
    let names = "node[1-12],node[08-10]-ib,dc[1-2]n[1-9],10.0.[0-1].[1-20],gpu,db-a,db-b,rack[01-03]u[1-2]p[1-2]";
    let expand = |text: &str| NodeSet::parse(text).unwrap().expand(1_000).unwrap();
    let group = |(name, members): (&str, &str)| (name.to_owned(), expand(members));
    let groups =
        [("web", "node[1-4],dc1n[1-3]"), ("db", "db-a,db-b"), ("rack1", "dc[1-2]n1"), ("rack2", "dc[1-2]n2,gpu")];
    Known { names: expand(names), groups: BTreeMap::from(groups.map(group)) }
}

fn some<T: std::fmt::Debug>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn expression() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![",", ",", ",", "!", "!", "&", "^", " , ", " ! ", "& ", " ^"]);
    (term(), prop::collection::vec((operator, term()), 0..6)).prop_map(|(first, rest)| {
        rest.into_iter().fold(first, |text, (operator, term)| format!("{text}{operator}{term}"))
    })
}

fn term() -> impl Strategy<Value = String> {
    let one = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
    let looked_up = one(&[
        "@web",
        "@db",
        "@rack[1-2]",
        "@*",
        "@all",
        "*",
        "node*",
        "*1",
        "node?",
        "dc?n[1-3]",
        "*-ib",
        "node[1-2]*",
        "d*-?",
        "10.0.*",
        "*[1-2]",
        "rack0?u*",
        "x*",
    ]);
    let stem = one(&["node", "n", "dc", "node%", "%s", "", "10.0.", "é-", "N", "node-"]);
    let after = one(&["", "", "-ib", ".lan", "n", "%", " "]);
    let joint = one(&["n", "-", ".", "u", "x%sx"]);
    prop_oneof![
        2 => looked_up.prop_map(str::to_owned),
        1 => one(&["gpu", "db-a", "db-b", "node", "a.b-c", "7", "007"]).prop_map(str::to_owned),
        4 => (stem.clone(), place(), after.clone()).prop_map(|(stem, place, after)| format!("{stem}{place}{after}")),
        4 => (stem.clone(), place(), joint.clone(), place(), after.clone())
            .prop_map(|(stem, first, joint, second, after)| format!("{stem}{first}{joint}{second}{after}")),
        1 => (stem, place(), joint.clone(), place(), joint, place(), after)
            .prop_map(|(stem, a, joint, b, other, c, after)| format!("{stem}{a}{joint}{b}{other}{c}{after}")),
    ]
}

/// A number or brackets, maybe with digits beside them.
fn place() -> impl Strategy<Value = String> {
    let list = prop::collection::vec(range(), 1..4).prop_map(|ranges| format!("[{}]", ranges.join(",")));
    // ClusterShell reads the digit into both ends of a range: those of different lengths would become another range.
    let same_length = (1_u32..5, 5_u32..9, any::<bool>())
        .prop_map(|(first, last, tens)| if tens { format!("[1{first}-1{last}]") } else { format!("[{first}-{last}]") });
    prop_oneof![
        2 => (0_u32..24).prop_map(|number| number.to_string()),
        1 => (0_u32..24).prop_map(|number| format!("{number:02}")),
        6 => list,
        1 => same_length.clone().prop_map(|range| format!("1{range}")),
        1 => same_length.prop_map(|range| format!("{range}0")),
        1 => (1_u32..4, 4_u32..9).prop_map(|(first, last)| format!("0[{first}-{last}/2]")),
    ]
}

fn range() -> impl Strategy<Value = String> {
    let ends = (0_u32..16, 0_u32..10, 0_usize..4).prop_map(|(first, more, width)| {
        let (first, last) = (format!("{first:0width$}"), format!("{:0width$}", first + more));
        // Padded to different widths.
        if first.len() != last.len() && first.starts_with('0') && first.len() > 1 {
            first
        } else {
            format!("{first}-{last}")
        }
    });
    prop_oneof![
        2 => (0_u32..24, 0_usize..4).prop_map(|(number, width)| format!("{number:0width$}")),
        4 => ends,
        1 => (0_u32..8, 1_u32..12, 1_u32..4).prop_map(|(first, more, step)| format!("{first}-{}/{step}", first + more)),
        1 => (95_u32..100, 1_u32..8).prop_map(|(first, more)| format!(" {first} - {} ", first + more)),
    ]
}

/// Names that have much in common, so that there is much to fold.
fn name() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        4 => (0_u32..12).prop_map(|number| number.to_string()),
        2 => (0_u32..12).prop_map(|number| format!("{number:02}")),
        1 => (96_u32..104).prop_map(|number| number.to_string()),
        1 => (0_u32..3).prop_map(|number| format!("99999999999999999999{number}")),
    ];
    let small = 0_u32..4;
    prop_oneof![
        3 => number.clone().prop_map(|number| format!("n{number}")),
        6 => (small.clone(), number.clone()).prop_map(|(first, second)| format!("dc{first}n{second}")),
        4 => (small.clone(), small.clone(), number).prop_map(|(a, b, c)| format!("r{a}u{b}-{c}.lan")),
        3 => (small.clone(), 8_u32..12, 98_u32..102).prop_map(|(a, b, c)| format!("10.{a}.{b}.{c}")),
        1 => Just("n".to_owned()),
        1 => "[a-c]%?",
    ]
}
