use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Watches what every user of a host can read: the arguments of all its processes. The hosts share the machine's /proc.
pub struct Watch {
    end: Arc<AtomicBool>,
    seen: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    /// Begins to look at the lab's processes, a hundred times a second.
    pub fn start() -> Self {
        let name = std::env::var("KFLEET_LAB_NAME").unwrap_or_else(|_| "test".to_owned());
        Self::over(format!("/kfleet-{name}/"))
    }

    /// Likewise at every process of the machine, the workstation's among them.
    pub fn over_all() -> Self {
        Self::over(String::new())
    }

    /// Of processes whose cgroups have this in their names.
    fn over(group: String) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&end);
        let seen = thread::spawn(move || {
            let mut of_the_lab = HashMap::new();
            let mut seen = BTreeSet::new();
            while !told.load(Ordering::Relaxed) {
                look(&group, &mut of_the_lab, &mut seen);
                thread::sleep(Duration::from_millis(10));
            }
            seen
        });
        Self { end, seen }
    }

    /// All that was seen, arguments parted by spaces.
    pub fn end(self) -> BTreeSet<String> {
        self.end.store(true, Ordering::Relaxed);
        self.seen.join().unwrap()
    }
}

fn look(group: &str, of_the_lab: &mut HashMap<String, bool>, seen: &mut BTreeSet<String>) {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().into_string() else { continue };
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // A process stays in the cgroup that it was born in.
        let is_of_the_lab = *of_the_lab.entry(pid).or_insert_with(|| {
            fs::read_to_string(entry.path().join("cgroup")).is_ok_and(|groups| groups.contains(group))
        });
        // One that ended in the meantime has nothing to read.
        if let (true, Ok(bytes)) = (is_of_the_lab, fs::read(entry.path().join("cmdline"))) {
            seen.insert(String::from_utf8_lossy(&bytes).replace('\0', " "));
        }
    }
}
