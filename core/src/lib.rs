//! The sans-IO core of a client for Freedom Pay's IMTS (International Money Transfer System).
//!
//! A session takes an agent's credentials and yields an access token that is valid *now*. It renews
//! that token in time, even if a clock jumps or a request fails.
//!
//! This crate builds [`http::Request`] values and reads reply bytes. It opens no socket, reads no
//! clock, draws no random number and does not panic. The application does the I/O, in any runtime
//! or none. The package `imts` does the I/O for applications that prefer that.
//!
//! # Driving a session
//!
//! [`Session::poll`] returns what to do next. In this example the service is a sandbox in the same
//! process, and time is a variable:
//!
//! ```
//! use std::time::Duration;
//! use imts_core::time::{Mono, Wall};
//! use imts_core::{Credentials, Endpoint, Keep, Now, Policy, Reply, Service, Session, Step, services};
//! use imts_sandbox::{Sandbox, Settings, Time};
//!
//! let mut service = Sandbox::new(Settings::default());
//! let mut now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
//!
//! let endpoint = Endpoint::https("https://sandbox.example")?;
//! let mut session = Session::new(endpoint, services::transfer(), Policy::default())?;
//! session.sign_in(Credentials::new("sandbox-agent", "sandbox-secret")?, Keep::Always, now);
//!
//! let mut requests = 0;
//! for _ in 0..3_000 { // 3,000 asks in 50 minutes
//!     let bearer = loop {
//!         match session.poll(now) {
//!             Step::Ready(bearer) => break bearer,
//!             Step::Send(ticket, exchange) => {
//!                 requests += 1;
//!                 let request = exchange.into_request().map(|body| body.as_ref().to_vec());
//!                 let response = service.handle(Time::from_micros(now.wall.unix_micros()), &request);
//!                 session.on_reply(ticket, Reply::from(&response), now)?;
//!             }
//!             other => panic!("{other:?}"),
//!         }
//!     };
//!     assert!(bearer.header().is_sensitive());
//!     now = now.advanced_by(Duration::from_secs(1));
//! }
//! assert_eq!(requests, 4); // one sign-in and, each 780 s, one refresh
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//!
//! The root has what a driver needs. The rest is in the module of its subject: the errors of an
//! endpoint in [`endpoint`], the parts of a session's health in [`session`], clocks in [`time`].
//!
//! | you look for | it is in |
//! |---|---|
//! | the state machine, its steps and phases | [`Session`], [`Step`], [`Phase`] |
//! | margins, back-off, limits | [`Policy`] |
//! | what goes out and comes in | [`Exchange`], [`Reply`] |
//! | how a 401 to a call or to a renewal is handled | [`Session::reject`], [`Policy::unauthorized_is_unprocessed`], `call/judge.rs`, `session/judge.rs` |
//! | what happens after a reply to a refresh is lost | rule 6 of `docs/transitions.md` |
//! | what is never shown in any output | [`Credentials`], [`error::Refusal`], [`operation::Json`], `SECURITY.md` |
//! | how to add an operation | [`Operation`]; "Recipes" in `CONTRIBUTING.md` |
//! | what went wrong and what to do | [`session::RenewalError`], [`error::ReplyError`], [`call::CallError`], [`Recovery`] |
//! | how to sign in and refresh, and the evidence for it | [`service`] |
//! | restarts and sibling processes | [`Saved`], [`Session::adopt`] |
//! | one session over several processes and hosts | [`swap`], [`Session::with_shared_store`] |
//! | the typed operations, and the list of them | [`mod@services::transfer`], [`Operation`], [`Catalogue`] |
//! | the vendor's other services, and the values of their fields | [`services`] |
//! | users of Freedom ID: link, tokens, revocation | [`mod@services::freedom_id`], `docs/freedom-id.md` |
//! | one call, sent again only with proof, and how it ends | [`Call`], [`CallStep`], [`Outcome`] |
//! | what is recorded of a call before it is sent | [`journal`] |
//! | which bytes of a file or a variable are text | [`text`] |
//! | how a request is signed, and a message verified (features `jws`, `pg-sig`) | `sign` |
//! | how a callback of the gateway is verified and answered (feature `callback`) | `callback` |

#![forbid(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros
)]

mod account;
pub mod call;
#[cfg(feature = "callback")]
pub mod callback;
pub mod catalogue;
pub mod endpoint;
pub mod error;
mod evidence;
pub mod exchange;
pub mod journal;
mod json;
pub mod operation;
pub mod policy;
mod printable;
mod recovery;
mod refusal;
mod renewal_error;
pub mod saved;
pub mod secret;
pub mod service;
pub mod services;
pub mod session;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
pub mod sign;
mod stamp;
pub mod swap;
pub mod text;
pub mod time;
pub mod transport_error;
mod wire;

pub use crate::call::{Call, CallStep, Outcome, Permit};
pub use crate::catalogue::Catalogue;
pub use crate::endpoint::Endpoint;
pub use crate::evidence::Evidence;
pub use crate::exchange::Exchange;
pub use crate::operation::{Class, Operation};
pub use crate::policy::Policy;
pub use crate::recovery::Recovery;
pub use crate::saved::Saved;
pub use crate::secret::{Bearer, Credentials, Epoch, Keep};
pub use crate::service::Service;
pub use crate::session::{Phase, Session, Step, Ticket};
pub use crate::swap::{Swap, Swapped};
pub use crate::time::Now;
pub use crate::transport_error::TransportError;
pub use crate::wire::Reply;

#[cfg(all(doctest, feature = "jws", feature = "pg-sig"))]
#[doc = include_str!("../docs/signing.md")]
struct Pages;

#[cfg(doctest)]
#[doc = include_str!("../docs/freedom-id.md")]
struct FreedomId;
