//! The memory of another process, as a core dump would have it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

/// What is shorter cannot hold what is looked for.
const SHORTEST: usize = 16;

/// Every run of printable characters in the memory that this process can write, a line each.
pub(crate) fn texts(process: u32) -> String {
    // A thread that ends takes its stack away while it is read.
    let attempt = (0..100).find_map(|_| attempt(process).ok());
    attempt.expect("the memory of a process that is our child can be read")
}

fn attempt(process: u32) -> io::Result<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let memory = File::open(format!("/proc/{process}/mem"))?;
    let mut texts = String::new();
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.read_exact_at(&mut bytes, from)?;
        for run in bytes.split(|byte| !matches!(byte, b' '..=b'~')) {
            if run.len() >= SHORTEST {
                texts.push_str(std::str::from_utf8(run).unwrap());
                texts.push('\n');
            }
        }
    }
    Ok(texts)
}
