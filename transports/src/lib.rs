//! A client for Freedom Pay's IMTS (International Money Transfer System). It takes an agent's
//! credentials and returns an access token that is valid now, in any runtime.
//!
//! [`imts_core`] implements the protocol and does no I/O; this crate re-exports its types and
//! drives it. A client makes no protocol decisions: it asks the session what to do, does it, and
//! reports the result.
//!
//! # Features
//!
//! All features are off by default, are additive, and can be combined.
//!
//! | feature | adds |
//! |---|---|
//! | `ureq` | [`UreqTransport`], for the blocking [`Client`] |
//! | `tracing` | events for renewals, rejections and back-off, without secrets |
//! | `hyper-util` | [`HyperTransport`], for the [`AsyncClient`], on tokio or any other runtime |
//! | `reqwest` | `ReqwestTransport`, for the [`AsyncClient`], and `AsyncClient::send_with_token` |
//! | `reqwest-rustls` | `ReqwestTransport::with_tls`, with this crate's `Tls` |
//! | `tower` | `BearerLayer`, which adds the token to the requests of a tower service |
//! | `journal` | `JournalFile`, which records each call that moves money before it is sent |
//! | `service-file` | `service_of`, which reads what an integrator knows about operations |
//! | `aws-lc-rs` | `CryptoProvider::AwsLcRs`, a second crypto provider for `Tls` |
//!
//! Without any feature, the crate provides two clients. The blocking [`Client`] uses your own
//! [`Transport`]; a closure is one. The [`AsyncClient`] uses your own [`AsyncTransport`]; a pair of
//! closures is one.

#[cfg(any(feature = "reqwest", feature = "tower"))]
mod authorize;
mod builder;
mod client;
pub mod clock;
#[cfg(feature = "_connections")]
mod connect;
mod error;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "journal")]
mod journal_file;
mod parked;
mod progress;
#[cfg(feature = "_connections")]
mod proxy;
#[cfg(feature = "_connections")]
mod race;
#[cfg(any(feature = "_tls", feature = "reqwest"))]
mod reason;
#[cfg(feature = "_connections")]
mod reply;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "service-file")]
mod service_file;
mod sync;
#[cfg(feature = "_tls")]
mod tls;
#[cfg(feature = "tower")]
mod tower;
mod transport;
#[cfg(feature = "ureq")]
mod ureq;
mod wipe;
mod within;

pub use imts_core::journal::{Book, CallRecord, CallState};
pub use imts_core::*;

#[cfg(any(feature = "reqwest", feature = "tower"))]
pub use crate::authorize::NoToken;
pub use crate::builder::{BuildError, Builder};
pub use crate::client::{AsyncClient, AsyncHandle, BearerGuard, Client, Handle, HookError};
pub use crate::clock::{Clock, ManualClock, SystemClock};
pub use crate::error::TokenError;
#[cfg(feature = "hyper-util")]
pub use crate::hyper::{HyperBody, HyperBuilder, HyperTransport};
#[cfg(feature = "journal")]
pub use crate::journal_file::{
    Compacted, FolderSync, JournalError, JournalFile, JournalOptions, JournalSize, book_of,
    bytes_of,
};
pub use crate::progress::Progress;
#[cfg(feature = "_connections")]
pub use crate::proxy::{Proxy, ProxyError};
#[cfg(feature = "reqwest")]
pub use crate::reqwest::{Repeat, ReqwestTransport, SendError};
#[cfg(feature = "service-file")]
pub use crate::service_file::{ServiceFileError, service_of};
#[cfg(feature = "_tls")]
pub use crate::tls::{Certificates, CryptoProvider, PrivateKey, Tls, TlsBuilder, TlsError};
#[cfg(feature = "tower")]
pub use crate::tower::{BearerLayer, BearerService, Repeatable};
pub use crate::transport::{AsyncTransport, Bounds, BoxFuture, Transport};
#[cfg(feature = "ureq")]
pub use crate::ureq::{UreqBuilder, UreqTransport};

#[cfg(all(doctest, feature = "ureq", feature = "service-file", feature = "journal"))]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../core/docs/guide.md")]
struct Pages;
