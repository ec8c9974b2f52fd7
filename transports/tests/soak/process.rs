//! What the process has taken of the machine, as Linux tells.

use std::fs;

pub(crate) struct Process {
    threads: usize,
    descriptors: usize,
    /// Resident memory, in KiB.
    memory: u64,
}

/// The difference between two moments.
pub(crate) struct Growth(Process, Process);

impl Process {
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self {
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            memory: memory.trim().trim_end_matches(" kB").parse().unwrap(),
        }
    }

    pub(crate) fn until(self, later: Self) -> Growth {
        Growth(self, later)
    }
}

impl Growth {
    /// A connection and a renewal may be under way at one of the moments, and the service's log and
    /// the allocator's slack grow a little.
    pub(crate) fn assert_little(&self) {
        let Self(before, after) = self;
        println!(
            "threads {} → {}, descriptors {} → {}, memory {} → {} KiB",
            before.threads,
            after.threads,
            before.descriptors,
            after.descriptors,
            before.memory,
            after.memory
        );
        assert!(after.threads <= before.threads + 6, "threads grow");
        assert!(after.descriptors <= before.descriptors + 12, "descriptors grow");
        assert!(after.memory <= before.memory + 16 * 1_024, "memory grows");
    }
}

/// How many threads have this name.
pub(crate) fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|comm| comm.trim() == name)
        .count()
}
