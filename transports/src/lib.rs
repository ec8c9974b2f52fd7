//! A client for Freedom Pay's IMTS (International Money Transfer System): an agent's credentials go
//! in, a bearer that is valid now comes out, in any runtime.
//!
//! The protocol is [`imts_core`], which does no I/O and whose types are re-exported here; this crate
//! drives it. A client decides nothing of the protocol: it asks the session what to do, does it, and reports.
//!
//! # Features
//!
//! All are off by default, additive, and usable together.
//!
//! | feature | brings |
//! |---|---|
//! | `ureq` | [`UreqTransport`], for the blocking [`Client`] |
//! | `tracing` | events of renewals, rejections and back-off, without a secret in them |
//! | `hyper-util` | [`HyperTransport`], for the [`AsyncClient`], on tokio or any other runtime |
//! | `journal` | `JournalFile`, which writes down what moves money before it is sent |
//! | `contract-file` | `contract_of`, for what an integrator knows of the service's operations |
//! | `aws-lc-rs` | `CryptoProvider::AwsLcRs`, a second one to choose for `Tls` |
//!
//! Without any feature there are the blocking [`Client`] over a [`Transport`] of your own (a closure
//! is one) and the [`AsyncClient`] over an [`AsyncTransport`] (a pair of closures is one).

mod bearer;
mod bell;
mod blocking;
mod builder;
pub mod clock;
#[cfg(feature = "_tls")]
mod connect;
#[cfg(feature = "contract-file")]
mod contract_file;
mod error;
mod flight;
mod handle;
mod hub;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "journal")]
mod journal_file;
mod nonblocking;
mod parked;
mod progress;
#[cfg(feature = "_tls")]
mod proxy;
#[cfg(feature = "_tls")]
mod race;
#[cfg(feature = "_tls")]
mod reason;
#[cfg(feature = "_tls")]
mod reply;
mod sync;
#[cfg(feature = "_tls")]
mod tls;
mod trace;
mod transport;
#[cfg(feature = "ureq")]
mod ureq;
mod within;

pub use imts_core::journal::{Book, CallRecord, CallState};
pub use imts_core::*;

pub use crate::bearer::Bearer;
pub use crate::blocking::Client;
pub use crate::builder::{BuildError, Builder};
pub use crate::clock::{Clock, ManualClock, SystemClock};
#[cfg(feature = "contract-file")]
pub use crate::contract_file::{ContractFileError, contract_of};
pub use crate::error::CallError;
pub use crate::handle::{AsyncHandle, Handle};
pub use crate::hub::HookError;
#[cfg(feature = "hyper-util")]
pub use crate::hyper::{HyperBody, HyperBuilder, HyperTransport};
#[cfg(feature = "journal")]
pub use crate::journal_file::{
    Compacted, FolderSync, JournalError, JournalFile, JournalOptions, JournalSize, book_of,
    bytes_of,
};
pub use crate::nonblocking::AsyncClient;
pub use crate::progress::Progress;
#[cfg(feature = "_tls")]
pub use crate::proxy::{Proxy, ProxyError};
#[cfg(feature = "_tls")]
pub use crate::tls::{Certificates, CryptoProvider, PrivateKey, Tls, TlsBuilder, TlsError};
pub use crate::transport::{AsyncTransport, Bounds, BoxFuture, Transport};
#[cfg(feature = "ureq")]
pub use crate::ureq::{UreqBuilder, UreqTransport};

#[cfg(all(doctest, feature = "ureq", feature = "contract-file", feature = "journal"))]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../core/docs/guide.md")]
struct Pages;
