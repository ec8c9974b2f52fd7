//! Receives the gateway's callbacks: verifies a request, lets the merchant decide once, and gives
//! the first answer again to each repeat.
//!
//! Owns the order of these steps: nothing is sent before its answer is stored. The core's
//! [`callback`](imts_core::callback) verifies and signs, and an [`Answers`] keeps. Opens no socket:
//! a server gives its requests to [`Callbacks`], [`AsyncCallbacks`] or, with the feature
//! `callback-tower`, to `CallbackService`.

mod answers;
mod blocking;
#[cfg(feature = "callback-tower")]
mod body;
mod handler;
mod nonblocking;
mod on_threads;
mod reply;
#[cfg(feature = "callback-tower")]
mod service;

pub use imts_core::callback::*;

pub use self::answers::{
    Answers, AnswersError, AsyncAnswers, Claim, Claimed, FileAnswers, Kept, MemoryAnswers,
};
pub use self::blocking::Callbacks;
#[cfg(feature = "callback-tower")]
pub use self::body::AnswerBody;
pub use self::handler::{AsyncHandler, Handler, Redirected, Undecided};
pub use self::nonblocking::AsyncCallbacks;
pub use self::on_threads::OnThreads;
#[cfg(feature = "callback-tower")]
pub use self::service::CallbackService;
