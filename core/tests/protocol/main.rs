//! The protocol, held to the vendor's page and to its rules, in virtual time.
#![cfg(feature = "persist")]

mod attacks;
mod claims;
mod clock_attacks;
mod diagram;
mod endpoints;
mod forms;
mod found;
mod health;
mod known_answers;
mod literal;
mod outside;
mod pacing;
mod persisted;
mod plain_hosts;
mod policies;
mod registers;
mod rejected;
mod renewals;
mod replies;
mod reply_dates;
mod restarts;
mod settling;
mod sharing;
mod siblings;
mod standing;
mod store_out;
mod support;
mod time;
mod transitions;
mod undriven;
mod words;
