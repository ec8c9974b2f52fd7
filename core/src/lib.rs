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
//! use imts_core::{services, Service, Credentials, Endpoint, Keep, Mono, Now, Policy, Reply, Session, Step, Wall};
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
//! | you look for | it is in |
//! |---|---|
//! | the state machine, its steps and phases | [`Session`], [`Step`], [`Phase`] |
//! | margins, back-off, limits | [`Policy`] |
//! | what goes out and comes in | [`Exchange`], [`Reply`] |
//! | how a 401 to a call or to a renewal is handled | [`Session::reject`], [`Policy::unauthorized_is_unprocessed`], `call/judge.rs`, `session/judge.rs` |
//! | what happens after a reply to a refresh is lost | rule 6 of `docs/transitions.md` |
//! | what is never shown in any output | [`Credentials`], [`Refusal`], [`Json`], `SECURITY.md` |
//! | how to add an operation | [`Operation`]; "Recipes" in `CONTRIBUTING.md` |
//! | what went wrong and what to do | [`RenewalError`], [`ReplyError`], [`Recovery`] |
//! | how to sign in and refresh, and the evidence for it | [`service`] |
//! | restarts and sibling processes | [`Saved`], [`Session::adopt`] |
//! | the typed operations, and the list of them | [`mod@services::transfer`], [`Operation`], [`Catalogue`] |
//! | one call, sent again only with proof, and how it ends | [`Call`], [`CallStep`], [`Outcome`] |
//! | what is recorded of a call before it is sent | [`journal`] |

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

mod call;
mod catalogue;
mod endpoint;
mod error;
mod evidence;
mod exchange;
pub mod journal;
mod json;
pub mod operation;
mod policy;
mod printable;
mod recovery;
mod refusal;
mod renewal_error;
mod saved;
mod secret;
pub mod service;
pub mod services;
mod session;
mod time;
mod transport_error;
mod wire;

pub use crate::call::{
    Call, CallError, CallStep, Ending, Failed, NotCallable, Outcome, Permit, Unknown,
};
pub use crate::catalogue::{Catalogue, CatalogueError, Decided, MAX_REPLY_LIMIT, OperationInfo};
pub use crate::endpoint::{Endpoint, EndpointError, ServicePath};
pub use crate::error::{EncodeError, JsonFault, Malformed, ReplyError, Unexpected};
pub use crate::evidence::Evidence;
pub use crate::exchange::{Exchange, Purpose, Reply};
pub use crate::journal::IntentError;
pub use crate::json::Json;
pub use crate::operation::{Auth, Class, Operation};
pub use crate::policy::{Policy, Replay};
pub use crate::recovery::Recovery;
pub use crate::refusal::Refusal;
pub use crate::renewal_error::{RenewalCause, RenewalError};
pub use crate::saved::{Saved, SavedError};
pub use crate::secret::{Bearer, Body, Credentials, CredentialsError, Epoch};
pub use crate::service::Service;
pub use crate::session::{
    AdoptError, CredentialsHealth, Health, InFlight, Keep, LastError, Outlook, Phase, SaveTicket,
    Session, Step, Ticket, Usable,
};
pub use crate::time::{Mono, Now, Wall};
pub use crate::transport_error::{NotSent, Source, TransportError};
pub use crate::wire::{Granted, Success};
