//! Signing and verifying: the vectors, each rule by its name, and laws over random messages.
#![cfg(all(feature = "jws", feature = "pg-sig"))]

#[cfg(feature = "test-languages")]
mod independent;
mod jws;
mod jws_vectors;
mod laws;
mod mistakes;
mod own_urls;
mod pg_sig;
mod pg_vectors;
mod reading;
mod support;
mod writing;
