//! The command `imts`.
fn main() {}
