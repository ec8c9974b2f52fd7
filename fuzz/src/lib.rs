//! The harnesses behind the fuzz targets: each takes bytes, drives the public API with them, and
//! holds what comes of it to invariants. They run under libFuzzer and, over the corpora, in tests.

pub mod reply;
