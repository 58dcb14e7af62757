use std::fs;
use std::path::Path;

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::bench::{from, unheard};
use crate::host::{Exit, Host, HostError, Output, Program, Request, Stream};
use crate::transfer::{Copied, TransferError, fetch};

/// A host that answers what it likes: `MARK` in its words is replaced by what the script would have written there.
struct Liar {
    told: Vec<u8>,
    sent: Vec<u8>,
    /// When it is asked for files by themselves.
    sent_again: Vec<u8>,
}

#[async_trait]
impl Host for Liar {
    fn name(&self) -> &str {
        "liar"
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let Program::Script { text, .. } = request.program else { panic!("only scripts are sent") };
        let text = text.expose_secret();
        if request.input.is_some() {
            let sent = if text.contains("untold=") { &self.sent_again } else { &self.sent };
            sent.chunks(3).for_each(|piece| output.take(Stream::Stdout, piece));
        } else {
            let mark = text.lines().find_map(|line| line.strip_prefix("mark=")?.split(';').next()).unwrap();
            let told = String::from_utf8(self.told.clone()).unwrap().replace("MARK", mark);
            output.take(Stream::Stdout, told.as_bytes());
        }
        Ok(Exit::Status(0))
    }

    async fn close(&self) {}
}

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn stat(kind: &str, size: u64, path: &str) -> String {
    format!("MARK stat {kind} {size} 0 0 1000000000 2001-09-09 01:46:40.5 +0000|root|root|{path}\n")
}

fn directory(path: &str) -> String {
    stat("41ed", 0, path)
}

fn file(path: &str) -> String {
    stat("81a4", 3, path) + &format!("MARK sums {ABC}  {path}\n")
}

fn link(path: &str, target: &str) -> String {
    stat("a1ff", 0, path) + &format!("MARK link {path}\0{target}\n")
}

async fn fetched(into: &Path, told: &str, sent: &[u8]) -> Result<Copied, TransferError> {
    fetched_again(into, told, sent, b"").await
}

async fn fetched_again(into: &Path, told: &str, sent: &[u8], again: &[u8]) -> Result<Copied, TransferError> {
    let told = format!("motd: MAR\nMARK base /srv/tree{told}MARK end ").into_bytes();
    fetch(&Liar { told, sent: sent.to_vec(), sent_again: again.to_vec() }, &from(b"tree"), into, &unheard()).await
}

/// All names below a directory.
fn names(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            names.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                left.push(path);
            }
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn no_path_leads_out_of_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let into = home.path().join("fetched/liar");
    let lies = [
        directory(".") + &file("./../evil"),
        directory(".") + &file("../evil"),
        directory(".") + &file("./a/../../evil"),
        directory(".") + &directory("./..") + &file("./../evil"),
        directory(".") + &file("/tmp/kfleet-evil"),
        directory(".") + &file(".//tmp/kfleet-evil"),
        directory(".") + &file("./"),
        directory(".") + &file("./."),
        directory(".") + &file("evil"),
        // A file through a link, in either order, and under what is told twice.
        directory(".") + &link("./a", "../..") + &file("./a/evil"),
        directory(".") + &link("./a", "../..") + &directory("./a") + &file("./a/evil"),
        directory(".") + &directory("./a") + &link("./a", "../..") + &file("./a/evil"),
        directory(".") + &file("./a") + &file("./a/evil"),
        directory(".") + &file("./missing/evil"),
        // A root that is none, twice, late or a link.
        link(".", "..") + &file("./evil"),
        file("./evil"),
        directory(".") + &directory("."),
        directory("./a") + &file("./a/evil"),
        String::new(),
    ];
    for lie in &lies {
        let error = fetched(&into, lie, b"abc").await.unwrap_err();
        assert!(matches!(error, TransferError::Refused { .. }), "{lie}: {error:?}");
        assert_eq!(names(home.path()), [""; 0], "{lie}");
    }
    assert!(!Path::new("/tmp/kfleet-evil").exists());
}

#[tokio::test]
async fn no_more_and_nothing_else_is_kept_than_was_told() {
    let home = tempfile::tempdir().unwrap();
    let honest = directory(".") + &file("./a") + &file("./b") + &link("./c", "/etc/passwd");
    let (zeros, b) = ("0".repeat(84), format!("{:020}{ABC}", 3));
    let cases = [
        ("abcabcd", String::new(), "it sends more than it told of"),
        ("abcabx", zeros.clone(), "b changed while it was read"),
        ("abcabx", b.clone() + "abx", "b changed while it was read"),
        ("abcabx", b.clone() + "ab", "it did not send all of it (exit status 0)"),
        ("abcab", String::new(), "it did not send all of it (exit status 0)"),
        ("abcab", format!("{:020}{ABC}abcd", 4), "it sends more than it told of"),
        ("abcab", format!("{:020}{ABC}abc", -1), "it sends more than it told of"),
        ("abcab", b.clone() + "abcd", "it sends more than it told of"),
        ("abcab", b[..80].to_owned(), "it did not send all of it (exit status 0)"),
        ("", zeros.repeat(2), "a and 1 more changed while they were read"),
        ("", zeros.clone() + &b + "abc", "a changed while it was read"),
    ];
    for (nth, (sent, again, said)) in cases.into_iter().enumerate() {
        let into = home.path().join(nth.to_string());
        let error = fetched_again(&into, &honest, sent.as_bytes(), again.as_bytes()).await.unwrap_err();
        assert_eq!(error.to_string(), said, "{sent} {again}");
        // Whole files are kept, halves are not.
        assert!(
            names(&into).iter().all(|name| ["tree", "tree/a", "tree/b", "tree/c"].contains(&name.as_str())),
            "{:?}",
            names(&into)
        );
    }
    let into = home.path().join("honest");
    fetched(&into, &honest, b"abcabc").await.unwrap();
    assert_eq!(names(&into), ["tree", "tree/a", "tree/b", "tree/c"]);
    // What was a link the last time, and leads somewhere, is a directory of ours the next.
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fetched(&into, &(directory(".") + &link("./d", outside.to_str().unwrap())), b"").await.unwrap();
    fetched(&into, &(directory(".") + &directory("./d") + &file("./d/evil")), b"abc").await.unwrap();
    assert_eq!((names(&outside), names(&into.join("tree/d"))), (Vec::new(), vec!["evil".to_owned()]));
}
