//! What can become of one request.

use imts_sandbox::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing goes wrong.
    Sound,
    /// The way to the service says that the request never left.
    NotSent,
    /// The exchange breaks there.
    Broken(Position),
    /// Nothing is heard, and nothing was ever applied.
    LostRequest,
    /// Nothing is heard, and it was applied.
    LostReply,
    /// It is applied long after the client has given up.
    Delayed,
    /// The reply comes after its time.
    Late,
    /// The token was taken back.
    Revoked,
    /// A status in place of applying it.
    Status(u16),
    /// A status, though it was applied.
    Applied(u16),
    /// `state: false` under this status.
    SaysFalse(u16),
    /// A refusal, under 503, with a code that the service file may call decided.
    Limit,
    /// A proxy's page under 200 in place of applying it.
    Page,
    /// It is applied, and the reply is cut JSON that calls itself whole.
    Garbage,
    /// It is applied, and the reply is of another type.
    OtherType,
    /// A reply of any form. If it says what was done, that is true.
    Reply,
}

impl Fault {
    pub(super) const ALL: [Self; 32] = [
        Self::Sound,
        Self::NotSent,
        Self::Broken(Position::BeforeRead),
        Self::Broken(Position::BeforeApply),
        Self::Broken(Position::AfterApply),
        Self::Broken(Position::MidHeaders),
        Self::Broken(Position::MidBody),
        Self::LostRequest,
        Self::LostReply,
        Self::Delayed,
        Self::Late,
        Self::Revoked,
        Self::Status(302),
        Self::Status(400),
        Self::Status(404),
        Self::Status(408),
        Self::Status(409),
        Self::Status(425),
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::Applied(429),
        Self::Applied(500),
        Self::Applied(504),
        Self::SaysFalse(200),
        Self::SaysFalse(422),
        Self::SaysFalse(500),
        Self::Limit,
        Self::Page,
        Self::Garbage,
        Self::OtherType,
        Self::Reply,
    ];

    /// Whether the request comes to the service while its sender waits.
    pub(super) fn arrives(self) -> bool {
        !matches!(self, Self::NotSent | Self::LostRequest | Self::Delayed)
    }
}
