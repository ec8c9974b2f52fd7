//! How a reply is delivered, and where an exchange breaks. This is data; the socket front acts it
//! out.

use serde::{Deserialize, Serialize};

/// How a reply is delivered: a response's extension.
///
/// [`Front`](crate::Front) acts it out, and the connection then ends (except for
/// [`NextBroken`](Delivery::NextBroken)). In process, a test's own transport can read it and act on
/// it.
///
/// The request was applied and the response is the one that it would have had, unless
/// [`applies`](Delivery::applies) says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// No reply: the connection is closed.
    Closed,
    /// No reply: the connection is reset.
    Reset,
    /// No reply: the connection stays open and silent.
    Stalled,
    /// No reply: the service closes its side and goes on reading.
    HalfClosed,
    /// The exchange breaks at this point, in this way.
    Broken {
        /// Where it breaks.
        at: Position,
        /// How it breaks.
        by: Break,
    },
    /// The reply is whole. The connection's next request breaks as soon as it arrives. A kept
    /// connection ends in this way if it ends at the moment when it is used again.
    NextBroken {
        /// Where it breaks. If this is before the request is applied, the service never sees the
        /// request.
        at: Position,
        /// How it breaks.
        by: Break,
    },
    /// The first so many bytes, head included; then the connection is closed.
    CutAfter(usize),
    /// The first so many bytes, head included; then the connection is reset.
    ResetAfter(usize),
    /// The first so many bytes, head included; then silence.
    StalledAfter(usize),
    /// One byte at a time, this many milliseconds apart.
    Drip(u64),
    /// A body without end. Its promised length is 64 MiB.
    EndlessWithLength,
    /// A body without end, until the connection is closed.
    EndlessUntilClose,
    /// A body without end, in chunks.
    EndlessChunked,
    /// A body in chunks. The size of the second chunk is not a number.
    BadChunk,
    /// A body of less than 64 KiB that holds 10 million spaces. It has a `Content-Encoding: gzip`
    /// that the request did not ask for.
    GzipBomb,
    /// Headers without end.
    HeaderFlood,
    /// The reply comes after this many interim replies (`103 Early Hints`; RFC 8297).
    Interim(u32),
    /// Interim replies without end.
    InterimFlood,
    /// A redirect (307) to the same path on another port of this machine.
    RedirectTo(u16),
}

/// Where an exchange breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The request's head has arrived, and its body is not read. Not applied.
    BeforeRead,
    /// The whole request was read. Not applied.
    BeforeApply,
    /// The request was applied, and nothing of the reply is sent.
    AfterApply,
    /// The request was applied, and half of the reply's head is sent.
    MidHeaders,
    /// The request was applied, and the reply's head and half of its body are sent. If the reply
    /// has no body, all but the last line of its head is sent.
    MidBody,
}

/// How an exchange breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// The connection is closed, both ways (FIN).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// The connection stays open and silent.
    Stall,
    /// The service closes its side (FIN) and goes on reading.
    HalfClose,
}

impl Delivery {
    /// Returns every way in which a reply can be delivered. If a way has a position and a break,
    /// all combinations are there. Amounts fit a reply of some two hundred bytes.
    ///
    /// A test that goes through all of them cannot forget one.
    pub fn each() -> impl Iterator<Item = Self> {
        let breaks = Position::EACH.into_iter().flat_map(|at| Break::EACH.map(|by| (at, by)));
        let broken = breaks.clone().map(|(at, by)| Self::Broken { at, by });
        let broken = broken.chain(breaks.map(|(at, by)| Self::NextBroken { at, by }));
        broken.chain([
            Self::Closed,
            Self::Reset,
            Self::Stalled,
            Self::HalfClosed,
            Self::CutAfter(0),
            Self::CutAfter(20),
            Self::CutAfter(120),
            Self::ResetAfter(20),
            Self::ResetAfter(120),
            Self::StalledAfter(20),
            Self::StalledAfter(120),
            Self::Drip(0),
            Self::Drip(100),
            Self::EndlessWithLength,
            Self::EndlessUntilClose,
            Self::EndlessChunked,
            Self::BadChunk,
            Self::GzipBomb,
            Self::HeaderFlood,
            Self::Interim(3),
            Self::InterimFlood,
            Self::RedirectTo(1),
        ])
    }

    /// Returns whether the request was applied if its reply is delivered in this way.
    ///
    /// ```
    /// use imts_sandbox::{Break, Delivery, Position};
    ///
    /// assert!(Delivery::Reset.applies());
    /// assert!(!Delivery::Broken { at: Position::BeforeApply, by: Break::Reset }.applies());
    /// ```
    #[must_use]
    pub const fn applies(self) -> bool {
        match self {
            Self::Broken { at, .. } => at.applies(),
            _ => true,
        }
    }
}

impl Position {
    /// Every position, in the order of an exchange.
    pub const EACH: [Self; 5] =
        [Self::BeforeRead, Self::BeforeApply, Self::AfterApply, Self::MidHeaders, Self::MidBody];

    /// Returns whether the request is applied at this position.
    #[must_use]
    pub const fn applies(self) -> bool {
        match self {
            Self::BeforeRead | Self::BeforeApply => false,
            Self::AfterApply | Self::MidHeaders | Self::MidBody => true,
        }
    }
}

impl Break {
    /// Every way in which an exchange breaks.
    pub const EACH: [Self; 4] = [Self::Close, Self::Reset, Self::Stall, Self::HalfClose];
}
