//! A message of fields, signed, or read in any of its forms.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
static TALLY: imts_fuzz::Tally = imts_fuzz::Tally::of(imts_fuzz::pg_sig::TARGET);

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| TALLY.run(data));

#[cfg(not(fuzzing))]
fn main() {}
