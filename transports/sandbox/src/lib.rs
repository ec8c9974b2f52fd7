#![doc = include_str!("../README.md")]

mod control;
mod fault;
mod front;
mod log;
mod reply;
mod request;
mod sandbox;
mod settings;
mod time;
mod token;

pub use crate::fault::{Delivery, Fault, Rule, When};
pub use crate::front::{Front, FrontBuilder, Handler};
pub use crate::log::{Entry, Operation, Verdict};
pub use crate::reply::Delay;
pub use crate::sandbox::{Counters, ECHO_PATH, GET_TOKEN_PATH, REFRESH_PATH, Sandbox};
pub use crate::settings::{
    DEFAULT_AGENT, DEFAULT_SECRET, ErrorShape, NoToken, Outage, RetryAfter, Rotation, Settings,
};
pub use crate::time::Time;
