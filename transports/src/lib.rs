//! A client for Freedom Pay's IMTS (International Money Transfer System). It takes an agent's
//! credentials and returns an access token that is valid now, in any runtime.
//!
//! [`imts_core`] implements the protocol and does no I/O; this crate re-exports its types and
//! drives it. A client makes no protocol decisions: it asks the session what to do, does it, and
//! reports the result.
//!
//! ```
//! use std::sync::Mutex;
//! use imts::{Builder, Credentials, Endpoint};
//! use imts_sandbox::{Sandbox, Settings, Time};
//!
//! // The transport is a closure here, and the service is a sandbox in the same process.
//! let service = Mutex::new(Sandbox::new(Settings::default()));
//! let clock = std::time::SystemTime::UNIX_EPOCH;
//! let send = move |request: http::Request<imts::secret::Body>, _| {
//!     let request = request.map(|body| body.as_ref().to_vec());
//!     let micros = clock.elapsed().unwrap_or_default().as_micros() as i64;
//!     Ok(service.lock().unwrap().handle(Time::from_micros(micros), &request))
//! };
//!
//! let client = Builder::new(Endpoint::https("https://sandbox.example")?)
//!     .credentials(Credentials::new("sandbox-agent", "sandbox-secret")?)
//!     .blocking(send)?;
//!
//! let first = client.token()?; // signs in
//! assert_eq!(client.token()?.epoch(), first.epoch()); // the same token until it must be renewed
//! client.reject(first.epoch()); // after a 401
//! assert_ne!(client.token()?.epoch(), first.epoch());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! | you look for | it is in |
//! |---|---|
//! | a client for threads, a client for tasks, how to build them | [`Client`], [`AsyncClient`], [`Builder`] |
//! | a token that is valid now, and why there is none | [`BearerGuard`], [`TokenError`] |
//! | one operation, sent again only with proof, and how it ends | [`Client::call`], [`Outcome`], [`call`] |
//! | a call whose outcome is unknown | [`Client::in_doubt`], [`Client::resolve`], [`Client::reconcile`] |
//! | a session for each user of Freedom ID, revocations | [`users`], [`mod@services::freedom_id`] |
//! | one session for several processes | [`Builder::store`], [`mod@store`] |
//! | the ready HTTP clients, and how to bring your own | `UreqTransport`, `HyperTransport`, [`transport`] |
//! | certificates, proxies | `tls`, `proxy` |
//! | what is recorded of a call before it is sent | [`journal`], `journal_file`, `journal_postgres` |
//! | the service's operations, and your own | [`mod@services::transfer`], [`operation`], `service_file` |
//! | the vendor's other services | [`services`], `other_service_file` |
//! | the gateway's callbacks, verified and answered | `callback` |
//! | a clock that a test sets | [`clock::ManualClock`] |
//! | the state machine under it all | [`Session`], [`session`] |
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
//! | `store-file` | `store::file::FileStore`, which processes of one machine share |
//! | `store-redis` | `store::redis::RedisStore`, which processes of several hosts share |
//! | `store-postgres` | `store::postgres::PostgresStore`, which processes of several hosts share |
//! | `store-seal` | `store::sealed::Sealed`, which encrypts what a store keeps |
//! | `journal-postgres` | `JournalPostgres`, a journal that several processes share |
//! | `service-file` | `service_of` and `other_service_of`, which read what an integrator knows about operations |
//! | `jws`, `pg-sig` | `sign`: signatures of the vendor's services without a session |
//! | `callback` | `callback`: receives the gateway's callbacks, and gives each first answer again |
//! | `callback-tower` | `callback::CallbackService`, which axum and others mount |
//! | `aws-lc-rs` | `CryptoProvider::AwsLcRs`, a second crypto provider for `Tls` |
//!
//! Without any feature, the crate provides two clients. The blocking [`Client`] uses your own
//! [`Transport`]; a closure is one. The [`AsyncClient`] uses your own [`AsyncTransport`]; a pair of
//! closures is one.

#[cfg(any(feature = "reqwest", feature = "tower"))]
pub mod authorize;
pub mod builder;
#[cfg(feature = "callback")]
pub mod callback;
pub mod client;
pub mod clock;
#[cfg(feature = "_connections")]
mod connect;
#[cfg(any(feature = "journal", feature = "store-file"))]
mod disk;
#[cfg(any(feature = "_connections", feature = "_postgres", feature = "store-redis"))]
mod host;
#[cfg(feature = "hyper-util")]
pub mod hyper;
#[cfg(feature = "journal")]
pub mod journal_file;
#[cfg(feature = "journal-postgres")]
pub mod journal_postgres;
#[cfg(any(feature = "ureq", feature = "store-redis"))]
mod lookup;
#[cfg(feature = "service-file")]
pub mod other_service_file;
#[cfg(feature = "_postgres")]
pub mod postgres;
#[cfg(feature = "_connections")]
pub mod proxy;
#[cfg(feature = "_connections")]
mod race;
mod random;
#[cfg(any(feature = "_tls", feature = "reqwest"))]
mod reason;
#[cfg(feature = "_connections")]
mod reply;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "service-file")]
pub mod service_file;
pub mod store;
mod sync;
#[cfg(feature = "_tls")]
pub mod tls;
mod token_error;
#[cfg(feature = "tower")]
pub mod tower;
pub mod transport;
#[cfg(feature = "ureq")]
pub mod ureq;
pub mod users;
mod wipe;
mod within;

pub use imts_core::*;

pub use crate::builder::Builder;
pub use crate::client::{AsyncClient, AsyncHandle, BearerGuard, Client, Handle};
#[cfg(feature = "hyper-util")]
pub use crate::hyper::HyperTransport;
#[cfg(feature = "journal")]
pub use crate::journal_file::JournalFile;
#[cfg(feature = "journal-postgres")]
pub use crate::journal_postgres::JournalPostgres;
#[cfg(feature = "reqwest")]
pub use crate::reqwest::ReqwestTransport;
pub use crate::store::{AsyncStore, MemoryStore, Store, StoreError};
pub use crate::token_error::TokenError;
pub use crate::transport::{AsyncTransport, Transport};
#[cfg(feature = "ureq")]
pub use crate::ureq::UreqTransport;

#[cfg(all(doctest, feature = "ureq", feature = "service-file", feature = "journal"))]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../core/docs/guide.md")]
struct Pages;

#[cfg(all(doctest, feature = "ureq"))]
#[doc = include_str!("../docs/share-a-session.md")]
struct ShareASession;

#[cfg(all(doctest, feature = "callback"))]
#[doc = include_str!("../docs/receive-callbacks.md")]
#[doc = include_str!("../docs/cookbook/receive-a-payment.md")]
struct ReceiveCallbacks;

/// The pages of the cookbook, whose examples run as tests.
#[cfg(all(
    doctest,
    feature = "hyper-util",
    feature = "journal",
    feature = "service-file",
    feature = "ureq"
))]
mod cookbook {
    macro_rules! pages {
        ($($page:ident = $text:literal;)*) => {
            $(
                #[doc = include_str!(concat!("../docs/cookbook/", $text))]
                mod $page {}
            )*
        };
    }

    pages! {
        first_token = "first-token.md";
        call_an_operation = "call-an-operation.md";
        move_money = "move-money.md";
        unknown = "unknown.md";
        pod = "pod.md";
        rotate_a_secret = "rotate-a-secret.md";
        authority_and_proxy = "authority-and-proxy.md";
        test_with_the_sandbox = "test-with-the-sandbox.md";
        from_your_own_client = "from-your-own-client.md";
    }
}
