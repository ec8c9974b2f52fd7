#![doc = include_str!("../README.md")]

mod callbacks;
mod calls;
mod control;
mod delivery;
mod evidence;
mod fault;
mod fees;
mod finding;
mod form;
mod freedom_id;
mod front;
mod latest;
mod ledger;
mod log;
mod merchant;
mod operation;
mod outbox;
mod page;
mod pg_sig;
mod reply;
mod request;
mod rotation;
mod sandbox;
mod served;
mod service_file;
mod settings;
mod signed;
mod target;
mod time;
mod token;
mod tokens;
mod urlencoded;
mod xml;

pub use crate::callbacks::{
    BackMethod, CallbackFault, CallbackRule, NewPayment, NewPayout, Payment, PaymentState,
    RequestMethod,
};
pub use crate::delivery::{Break, Delivery, Position};
pub use crate::fault::{Fault, Rule, When};
pub use crate::fees::FEES_PATH;
pub use crate::finding::{Finding, Mistake};
pub use crate::form::Form;
pub use crate::freedom_id::{
    Client, DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, ErrorStatus, FreedomIdCounters,
    FreedomIdSettings, IdTokens, Person, TokenIds,
};
pub use crate::front::{Front, FrontBuilder, Handler};
pub use crate::ledger::{Intent, Ledger};
pub use crate::log::{Entry, Verdict};
pub use crate::merchant::{
    DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET, DEFAULT_PAYOUT_SECRET, Merchant,
};
pub use crate::operation::{Class, Name, NameError, Operation};
pub use crate::outbox::{Message, MessageKind, MessageState, Outgoing};
pub use crate::reply::Delay;
pub use crate::sandbox::{ECHO_PATH, Sandbox};
pub use crate::served::{Decided, Evidence, Scripted, Served};
pub use crate::service_file::ServiceFileError;
pub use crate::settings::{
    DEFAULT_AGENT, DEFAULT_SECRET, ErrorShape, GET_TOKEN_PATH, NoToken, Outage, REFRESH_PATH,
    RetryAfter, Rotation, Settings,
};
pub use crate::signed::{
    DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET, KeyRepeat, ReplyScript, SignedOperation,
    SignedSettings, StatusForm,
};
pub use crate::time::Time;
pub use crate::tokens::Counters;
