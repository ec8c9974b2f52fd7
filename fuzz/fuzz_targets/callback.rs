//! A raw request to one of a merchant's own URLs.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
static TALLY: imts_fuzz::Tally = imts_fuzz::Tally::of(imts_fuzz::callback::TARGET);

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| TALLY.run(data));

#[cfg(not(fuzzing))]
fn main() {}
