//! The protocol, held to the vendor's page and to its rules, in virtual time.
#![cfg(feature = "persist")]

mod attacks;
mod clock_attacks;
mod diagram;
mod endpoints;
mod forms;
mod health;
mod known_answers;
mod literal;
mod outside;
mod pacing;
mod persisted;
mod plain_hosts;
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
