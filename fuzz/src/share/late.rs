//! What is on its way: lost no more, and not arrived.

use std::time::Duration;

use http::{Request, Response};
use imts_core::session::SwapTicket;
use imts_core::{Swap, Swapped, Ticket};

/// Something on its way, and the process that it belongs to.
pub(super) struct Late {
    pub(super) life: u64,
    pub(super) what: Message,
    /// Whether its sender will hear of it.
    pub(super) answers: bool,
}

pub(super) enum Message {
    Swap(SwapTicket, Swap),
    Answer(SwapTicket, Swapped, Duration),
    Request(Ticket, Request<Vec<u8>>),
    Reply(Ticket, Response<Vec<u8>>),
}
