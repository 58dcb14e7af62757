use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use regex::Regex;

/// What a program said, exited with and left behind, without what differs from run to run: times, and the order in which hosts
/// ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub status: Option<i32>,
    /// What was printed before the first host's line, in lines; then a block a host. Both sorted.
    pub lines: Vec<String>,
    pub blocks: Vec<String>,
    pub stderr: String,
    pub files: BTreeMap<String, String>,
}

impl Ran {
    pub fn new(status: Option<i32>, stdout: &[u8], stderr: &[u8], directory: &Path) -> Self {
        let stdout = String::from_utf8_lossy(stdout).replace('\r', "");
        let time = Regex::new(r"\b\d\d:\d\d:\d\d\b").unwrap();
        let stdout = time.replace_all(&stdout, "TIME").into_owned();
        // pssh may be too quick to see that what it killed is dead.
        let stdout = stdout.replace("Timed out\n", "Timed out, Killed by signal 9\n");
        let head = Regex::new(r"(?m)^(?:\x1b\S*)?\[(?:\x1b\[1m)?(\d+)(?:\x1b\[22m)?\]\S* TIME ").unwrap();
        let starts: Vec<usize> = head.find_iter(&stdout).map(|found| found.start()).collect();
        let numbers: Vec<usize> = head.captures_iter(&stdout).map(|found| found[1].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "hosts are counted as they end: {stdout}");
        let ends = starts.iter().skip(1).copied().chain([stdout.len()]);
        let mut blocks: Vec<String> = starts
            .iter()
            .zip(ends)
            .map(|(start, end)| head.replace(&stdout[*start..end], "[N] TIME ").into())
            .collect();
        let before = &stdout[..starts.first().copied().unwrap_or(stdout.len())];
        let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
        lines.sort();
        blocks.sort();
        let mut files = BTreeMap::new();
        tree(directory, directory, &mut files);
        Self { status, lines, blocks, stderr: String::from_utf8_lossy(stderr).into_owned(), files }
    }

    pub fn stdout(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).chain(self.blocks.iter().cloned()).collect()
    }
}

/// Everything below a directory: its mode, and what it holds.
fn tree(root: &Path, directory: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777;
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_dir() && !path.is_symlink() {
            files.insert(name, format!("{mode:o} a directory"));
            tree(root, &path, files);
        } else {
            files.insert(name, format!("{mode:o} {}", String::from_utf8_lossy(&fs::read(&path).unwrap_or_default())));
        }
    }
}
