//! A header of a token, and the request that it signs.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
static TALLY: imts_fuzz::Tally = imts_fuzz::Tally::of(imts_fuzz::jws::TARGET);

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| TALLY.run(data));

#[cfg(not(fuzzing))]
fn main() {}
