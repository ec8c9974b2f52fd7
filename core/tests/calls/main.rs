//! Calls: their forms, their table of answers, and what may be sent again, in virtual time.

mod attempts;
mod catalogue;
mod compact;
mod forgotten;
mod forms;
mod guard;
mod hazards;
mod identity;
mod journal;
mod outcomes;
mod paths;
mod rare;
mod reconciling;
mod refusals;
mod reply_limits;
mod resolving;
mod support;
mod texts;
mod times;
