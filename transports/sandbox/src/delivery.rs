//! How a reply is delivered, and where an exchange breaks: data, acted out by the socket front.

use serde::{Deserialize, Serialize};

/// How a reply is delivered: a response's extension.
///
/// [`Front`](crate::Front) acts it out, and the connection ends with it (save for
/// [`NextBroken`](Delivery::NextBroken)). In process it is there to be read: a transport of a test's
/// own acts on it as it can.
///
/// The request was applied and the response is the one that it would have had, unless
/// [`applies`](Delivery::applies) says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// Not at all: the connection is closed.
    Closed,
    /// Not at all: the connection is reset.
    Reset,
    /// Not at all: the connection stays open, and silent.
    Stalled,
    /// Not at all: the service closes its side, and goes on reading.
    HalfClosed,
    /// The exchange breaks at this point, in this way.
    Broken {
        /// Where.
        at: Position,
        /// How.
        by: Ending,
    },
    /// Whole. It is the connection's next request that breaks, as soon as it arrives: so ends a
    /// connection that was kept open, in the moment in which it is used again.
    NextBroken {
        /// Where. The service never sees the next request where this is before it is applied.
        at: Position,
        /// How.
        by: Ending,
    },
    /// The first so many bytes, head included; then the connection is closed.
    CutAfter(usize),
    /// The first so many bytes, head included; then the connection is reset.
    ResetAfter(usize),
    /// The first so many bytes, head included; then silence.
    StalledAfter(usize),
    /// One byte at a time, with this many milliseconds in between.
    Drip(u64),
    /// A body without end, of the length that is promised: 64 MiB.
    EndlessWithLength,
    /// A body without end, until the connection is closed.
    EndlessUntilClose,
    /// A body without end, in chunks.
    EndlessChunked,
    /// A body in chunks, whose second has a size that is no number.
    BadChunk,
    /// A body of less than 64 KiB under a `Content-Encoding: gzip` that nobody asked for, which
    /// holds 10 million spaces.
    GzipBomb,
    /// Headers without end.
    HeaderFlood,
    /// After this many interim replies (`103 Early Hints`; RFC 8297).
    Interim(u32),
    /// Interim replies without end.
    InterimFlood,
    /// A redirect (307) to the same path on another port of this machine.
    RedirectTo(u16),
}

/// Where in its course an exchange breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The request's head has come, its body is not read. Not applied.
    BeforeRead,
    /// The request was read whole. Not applied.
    BeforeApply,
    /// It was applied, and nothing of the reply is sent.
    AfterApply,
    /// It was applied, and half of the reply's head is sent.
    MidHeaders,
    /// It was applied, and the reply's head and half of its body are sent; where it has no body, all
    /// but the last line of its head.
    MidBody,
}

/// In which way an exchange breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The connection is closed, both ways (FIN).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Silence; the connection stays open.
    Stall,
    /// The service closes its side (FIN), and goes on reading.
    HalfClose,
}

impl Delivery {
    /// Every way in which a reply can be delivered, at each position and by each ending where there
    /// are some, and with amounts that fit a reply of some two hundred bytes.
    ///
    /// A test that goes through all of them cannot forget one.
    pub fn each() -> impl Iterator<Item = Self> {
        let breaks = Position::EACH.into_iter().flat_map(|at| Ending::EACH.map(|by| (at, by)));
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

    /// Whether the request was applied, though its reply is delivered so.
    ///
    /// ```
    /// use imts_sandbox::{Delivery, Ending, Position};
    ///
    /// assert!(Delivery::Reset.applies());
    /// assert!(!Delivery::Broken { at: Position::BeforeApply, by: Ending::Reset }.applies());
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
    /// Each, in the order of an exchange.
    pub const EACH: [Self; 5] =
        [Self::BeforeRead, Self::BeforeApply, Self::AfterApply, Self::MidHeaders, Self::MidBody];

    /// Whether the request is applied by then.
    #[must_use]
    pub const fn applies(self) -> bool {
        match self {
            Self::BeforeRead | Self::BeforeApply => false,
            Self::AfterApply | Self::MidHeaders | Self::MidBody => true,
        }
    }
}

impl Ending {
    /// Each.
    pub const EACH: [Self; 4] = [Self::Close, Self::Reset, Self::Stall, Self::HalfClose];
}
