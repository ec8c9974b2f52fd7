//! What the sandbox sends by itself: requests to a URL of the integrator's, with their repeats.
//!
//! Owns when each is due, how often it is sent again, and what became of it. Opens no connection: the
//! socket front does, or a test in process. Does not know what a message says.

use std::time::Duration;

use http::Request;
use serde::Serialize;

use crate::time::Time;

/// How long after a failed delivery the next one is due (published, of results).
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(30 * 60);
/// How long after the first delivery there may be another one (published, of results).
pub(crate) const RETRY_FOR: Duration = Duration::from_secs(2 * 60 * 60);

/// One request that the sandbox sends now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The number of the message: the same at each of its deliveries.
    pub number: u64,
    /// The request. Its URI is absolute.
    pub request: Request<Vec<u8>>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageKind {
    /// Freedom ID's: a token id whose session ended.
    Revocation,
    /// The question before money is taken.
    Check,
    /// What became of a payment.
    Result,
    /// What became of a payout.
    Payout,
}

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// Its number, counted from 1.
    pub number: u64,
    /// What it is.
    pub kind: MessageKind,
    /// The number of the payment or payout that it is about.
    pub payment_id: Option<u64>,
    /// How often it was sent.
    pub attempts: u32,
    /// Where it stands.
    pub state: MessageState,
    /// When it is due, by the service's clock, in microseconds since 1970.
    pub due_us: i64,
    /// The status of the last answer; `None` if none came.
    pub last_status: Option<u16>,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageState {
    /// It waits for its time.
    Waiting,
    /// It was sent, and no answer is known yet.
    Sent,
    /// It was answered with 200, and is not sent again.
    Delivered,
    /// It was not answered with 200, and is not sent again.
    GivenUp,
}

/// A message to send, and how.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) kind: MessageKind,
    pub(crate) payment_id: Option<u64>,
    pub(crate) request: Request<Vec<u8>>,
    /// How often it is sent again although it was answered with 200.
    pub(crate) repeats: u32,
    /// How many answers get lost on their way.
    pub(crate) lost_answers: u32,
    /// Whether it is sent again if it was not answered with 200.
    pub(crate) is_retried: bool,
}

#[derive(Clone, Debug)]
struct Posted {
    letter: Letter,
    shown: Message,
    first: Option<Time>,
}

/// All messages, oldest first. Beyond its limit, those that ended are forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    posted: Vec<Posted>,
    made: u64,
}

impl Outbox {
    /// Adds a message that is due at this time. Returns its number.
    pub(crate) fn push(&mut self, due: Time, letter: Letter) -> u64 {
        if self.posted.len() >= MOST {
            let has_ended =
                |state| matches!(state, MessageState::Delivered | MessageState::GivenUp);
            self.posted.retain(|posted| !has_ended(posted.shown.state));
            let excess = (self.posted.len() + 1).saturating_sub(MOST);
            self.posted.drain(..excess);
        }
        self.made += 1;
        let shown = Message {
            number: self.made,
            kind: letter.kind,
            payment_id: letter.payment_id,
            attempts: 0,
            state: MessageState::Waiting,
            due_us: due.micros(),
            last_status: None,
        };
        self.posted.push(Posted { letter, shown, first: None });
        self.made
    }

    /// Takes the message that has been due for the longest, if one is due. It counts as sent.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<Outgoing> {
        let waiting = self.posted.iter_mut().filter(|it| it.is_due(now));
        let posted = waiting.min_by_key(|it| (it.shown.due_us, it.shown.number))?;
        posted.shown.attempts += 1;
        posted.shown.state = MessageState::Sent;
        posted.first.get_or_insert(now);
        let request = posted.letter.request.clone();
        Some(Outgoing { number: posted.shown.number, request })
    }

    /// Returns when the next message is due.
    pub(crate) fn next_due(&self) -> Option<Time> {
        let waiting = self.posted.iter().filter(|it| it.shown.state == MessageState::Waiting);
        waiting.map(|posted| Time::from_micros(posted.shown.due_us)).min()
    }

    /// Notes the answer to a message that was sent: its status, or that none came. Returns what the
    /// sandbox has seen of it. An answer that gets lost is not seen.
    pub(crate) fn answered(&mut self, now: Time, number: u64, status: Option<u16>) -> Option<Seen> {
        let sent =
            |it: &&mut Posted| it.shown.number == number && it.shown.state == MessageState::Sent;
        let posted = self.posted.iter_mut().find(sent)?;
        let is_lost = posted.letter.lost_answers > 0 && status.is_some();
        let status = status.filter(|_| !is_lost);
        posted.letter.lost_answers -= u32::from(is_lost);
        posted.shown.last_status = status;
        let again = now.after(RETRY_AFTER);
        let last = posted.first.unwrap_or(now).after(RETRY_FOR);
        let (state, due) = if status == Some(200) && posted.letter.repeats > 0 {
            posted.letter.repeats -= 1;
            (MessageState::Waiting, now)
        } else if status == Some(200) {
            (MessageState::Delivered, now)
        } else if posted.letter.is_retried && again <= last {
            (MessageState::Waiting, again)
        } else {
            (MessageState::GivenUp, now)
        };
        posted.shown.state = state;
        posted.shown.due_us = due.micros();
        Some(Seen {
            kind: posted.letter.kind,
            payment_id: posted.letter.payment_id,
            is_lost,
            state,
        })
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.posted.iter().map(|posted| &posted.shown)
    }
}

impl Posted {
    fn is_due(&self, now: Time) -> bool {
        self.shown.state == MessageState::Waiting && self.shown.due_us <= now.micros()
    }
}

/// What the sandbox has seen of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: MessageKind,
    pub(crate) payment_id: Option<u64>,
    pub(crate) is_lost: bool,
    pub(crate) state: MessageState,
}

/// How many messages are kept at most.
const MOST: usize = 10_000;
