use crate::stdout;

#[test]
fn help_is_as_reviewed() {
    insta::assert_snapshot!("kfleet", stdout(&["--help"]));
    insta::assert_snapshot!("kfleet-short", stdout(&["-h"]));
    insta::assert_snapshot!("up", stdout(&["up", "--help"]));
    insta::assert_snapshot!("plan", stdout(&["plan", "--help"]));
    insta::assert_snapshot!("copy", stdout(&["copy", "--help"]));
    insta::assert_snapshot!("fetch", stdout(&["fetch", "--help"]));
    insta::assert_snapshot!("remove", stdout(&["remove", "--help"]));
    insta::assert_snapshot!("reset", stdout(&["reset", "--help"]));
    insta::assert_snapshot!("reinit", stdout(&["reinit", "--help"]));
    insta::assert_snapshot!("history", stdout(&["history", "--help"]));
    insta::assert_snapshot!("history-show", stdout(&["history", "show", "--help"]));
    insta::assert_snapshot!("hosts", stdout(&["hosts", "--help"]));
    insta::assert_snapshot!("run", stdout(&["run", "--help"]));
    insta::assert_snapshot!("shell", stdout(&["shell", "--help"]));
    insta::assert_snapshot!("import", stdout(&["import", "--help"]));
    insta::assert_snapshot!("pssh", stdout(&["pssh", "--help"]));
    insta::assert_snapshot!("pscp", stdout(&["pscp", "--help"]));
    insta::assert_snapshot!("pslurp", stdout(&["pslurp", "--help"]));
    insta::assert_snapshot!("prsync", stdout(&["prsync", "--help"]));
    insta::assert_snapshot!("pnuke", stdout(&["pnuke", "--help"]));
    insta::assert_snapshot!("completions", stdout(&["completions", "--help"]));
    insta::assert_snapshot!("man", stdout(&["man", "--help"]));
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(stdout(&["--version"]), concat!("kfleet ", env!("CARGO_PKG_VERSION"), "\n"));
}
