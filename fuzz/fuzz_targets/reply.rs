//! Any reply at all to a sign-in or a refresh.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    imts_fuzz::reply::run(data);
});

#[cfg(not(fuzzing))]
fn main() {}
