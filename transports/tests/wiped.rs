//! What is left of a call's texts in this process's memory once they are dropped: nothing. Alone in
//! its process, where no other test moves memory meanwhile.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};

use imts::{Body, Json};
use zeroize::Zeroizing;

/// A text that stands nowhere in this program: it is made when it is needed.
fn marker() -> Zeroizing<String> {
    let letters = (0..200_u8).map(|n| char::from(b'a' + (n.wrapping_mul(7) ^ 0x15) % 26));
    Zeroizing::new(letters.collect())
}

/// How often the marker stands in the memory that can be written. An allocator writes over the
/// beginning of what is freed: its middle counts.
fn left(marker: &str) -> usize {
    let marker = &marker[100..150];
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let (mut found, mut chunk) = (0, Zeroizing::new(Vec::new()));
    for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.contains("[v")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        chunk.resize(usize::try_from(to - from).unwrap(), 0);
        if memory.seek(SeekFrom::Start(from)).is_ok() && memory.read_exact(&mut chunk).is_ok() {
            found += memchr(&chunk, marker.as_bytes());
        }
        // What was read is a copy too, and lies in memory that is read later.
        zeroize::Zeroize::zeroize(&mut *chunk);
    }
    found
}

fn memchr(bytes: &[u8], marker: &[u8]) -> usize {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == marker[0]);
    starts.filter(|(at, _)| bytes[*at..].starts_with(marker)).count()
}

#[test]
fn a_json_text_and_a_body_leave_nothing_behind() {
    let texts = || {
        let marker = marker();
        let text = Zeroizing::new(["{\"pan\": \"", &marker, "\", \"n\": 1.50}"].concat());
        let parsed = Json::parse(&text).unwrap();
        let read: Json = parsed.clone().to().unwrap();
        let bodies = [&parsed, &read].map(|json| Body::json(json).unwrap());
        assert_eq!(bodies[0].as_ref(), text.as_bytes(), "to the byte");
        // As a whole it is longer than what most values need: memory is outgrown. Last, so that
        // nothing else takes that memory.
        let (less, more) = ("0".repeat(250), "0".repeat(2_000));
        let fields = BTreeMap::from([("first", &less), ("pan", &*marker), ("then", &more)]);
        let body = Body::json(&fields).unwrap();
        let of = Json::of(&fields).unwrap();
        assert!(of.as_str().contains(marker.as_str()) && !of.as_str().contains(' '));
        (parsed, of, read, bodies, body)
    };
    let marker = marker();
    let before = left(&marker);
    let kept = texts();
    let meanwhile = left(&marker);
    assert!(meanwhile >= before + 6, "{before} before, {meanwhile} meanwhile: it looks in vain");
    drop(kept);
    let after = left(&marker);
    assert!(after <= before, "{before} before, {after} after: copies are left behind");
}
