//! Signatures of the vendor's services: how a request is signed, and how a signed message is verified.
//!
//! Owns the two recipes, over bytes that no one changes afterwards. Does no I/O and draws no random
//! number: a salt comes in. Knows no session, and no operation of a service.
//!
//! `docs/signing.md` explains both recipes, says which facts are published, and has examples.

#[cfg(feature = "jws")]
pub mod jws;
mod key;
mod members;
#[cfg(feature = "pg-sig")]
pub mod pg_sig;

pub use key::KeyError;
