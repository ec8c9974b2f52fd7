//! The protocol, held to its contract and its rules, in virtual time.
#![cfg(feature = "persist")]

mod attacks;
mod clock_attacks;
mod clothes;
mod diagram;
mod endpoints;
mod health;
mod known_answers;
mod literal;
mod pacing;
mod persisted;
mod policies;
mod rejected;
mod renewals;
mod replies;
mod reply_dates;
mod restarts;
mod settling;
mod siblings;
mod standing;
mod support;
mod time;
mod transitions;
mod undriven;
mod words;
