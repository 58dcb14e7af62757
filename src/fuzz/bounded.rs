//! The corpus and some mutations of it, in every run of the tests: the same ones each time.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{TARGETS, Target};

/// Of each file; KFLEET_FUZZ_MUTATIONS makes it more.
const MUTATIONS: u64 = 60;
/// A text that is long but made of what a file has must not take long: this much of it, and this long on a machine that is
/// busy with other tests.
const LONG: usize = 32 << 10;
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let mut directories: Vec<_> =
        fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    directories.sort();
    assert_eq!(directories, TARGETS.map(|(name, _)| name));
    let binaries = include_str!("../../fuzz/Cargo.toml");
    for (name, _) in TARGETS {
        assert!(binaries.contains(&format!("name = \"{name}\"\n")), "fuzz/Cargo.toml has no {name}");
    }
}

#[test]
fn the_corpus_and_what_is_near_it_holds() {
    let mutations = std::env::var("KFLEET_FUZZ_MUTATIONS").map_or(MUTATIONS, |count| count.parse().unwrap());
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        let before = Instant::now();
        for (nth, (path, seed)) in seeds.iter().enumerate() {
            holds(target, seed, &path.display().to_string());
            let (_, other) = &seeds[(nth + 1) % seeds.len()];
            for mutation in 0..mutations {
                let mut random = Random((mutation + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.len() as u64);
                let mut input = seed.clone();
                for _ in 0..=random.below(4) {
                    random.mutate(&mut input, other);
                }
                holds(target, &input, &format!("mutation {mutation} of {}", path.display()));
            }
        }
        println!("{name}: {} files, {:?}", seeds.len(), before.elapsed());
    }
}

#[test]
fn more_of_the_same_does_not_take_for_ever() {
    for (name, target) in TARGETS {
        for (path, seed) in seeds(name) {
            let input: Vec<u8> = seed.iter().copied().cycle().take(if seed.is_empty() { 0 } else { LONG }).collect();
            let before = Instant::now();
            holds(target, &input, &format!("{} over and over", path.display()));
            let took = before.elapsed();
            assert!(took < LONGEST, "{} over and over takes {took:?}", path.display());
        }
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(corpus().join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{name} has no corpus");
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Fails with a file to be looked at, and to be kept in the corpus once it is mended.
fn holds(target: Target, input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let kept = std::env::temp_dir().join(format!("kfleet-fuzz-{}", std::process::id()));
        fs::write(&kept, input).unwrap();
        panic!("{what} does not hold; it is kept as {}: {}", kept.display(), input.escape_ascii());
    }
}

/// xorshift: the same numbers from the same seed, ever.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % most.max(1)
    }

    /// One step away, as libFuzzer takes them.
    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        const TELLING: &[u8] = b"\0\n\r\t \x1b[]{}()<>\"'`\\/,.:;=!@#$%&*?-+_0199azAZ\x7f\x80\xc3\xa9\xe2\x80\xae\xff";
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(6) {
            0 => input.insert(at, TELLING[self.below(TELLING.len())]),
            1 if at < input.len() => input[at] = TELLING[self.below(TELLING.len())],
            2 => drop(input.drain(at..end)),
            3 => input.truncate(at),
            4 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            _ => {
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
}
