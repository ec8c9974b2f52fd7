//! Any text as a service file.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
static TALLY: imts_fuzz::Tally = imts_fuzz::Tally::of(imts_fuzz::service_file::TARGET);

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| TALLY.run(data));

#[cfg(not(fuzzing))]
fn main() {}
