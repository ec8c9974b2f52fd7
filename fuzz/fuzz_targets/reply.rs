//! Any reply at all to a sign-in or a refresh.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
static TALLY: imts_fuzz::Tally = imts_fuzz::Tally::of(imts_fuzz::reply::TARGET);

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| TALLY.run(data));

#[cfg(not(fuzzing))]
fn main() {}
