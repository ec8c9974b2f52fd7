//! What happens to one intent: a fault for each attempt, a break of the journal, an end from outside.

use imts_core::Class;
use imts_sandbox::Position;

/// How often a call is sent at most, by the default policy.
pub(crate) const ATTEMPTS: usize = 3;

/// How often a call that was not done is made again, by its permit.
pub(crate) const ROUNDS: usize = 3;

/// What becomes of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
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
    /// A refusal with a code that the service file calls decided, under 503.
    Decided,
    /// A proxy's page under 200 in place of applying it.
    Page,
    /// It is applied, and the reply is cut JSON that calls itself whole.
    Garbage,
    /// It is applied, and the reply is of another type.
    OtherType,
}

impl Fault {
    pub(crate) const ALL: &'static [Self] = &[
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
        Self::Decided,
        Self::Page,
        Self::Garbage,
        Self::OtherType,
    ];

    pub(crate) fn label(self) -> String {
        format!("{self:?}")
    }
}

/// Which record cannot be written, in the first round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    Intent,
    /// The one before the attempt of this number, counted from 0.
    Sending(usize),
    End,
}

/// An end from outside, at a step of the driver's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) step: usize,
    /// Whether the step still has its effect: a record is durable, a request is handled.
    pub(crate) late: bool,
    /// Whether the caller leaves, or the process dies.
    pub(crate) by_caller: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) class: Class,
    /// One for each attempt that there may be, round by round.
    pub(crate) faults: [[Fault; ATTEMPTS]; ROUNDS],
    pub(crate) breaks: Option<Break>,
    /// Whether what could not be written is in the journal all the same.
    pub(crate) tears: bool,
    pub(crate) cut: Option<Cut>,
    /// Whether time passes and clocks jump between steps, and journals take long.
    pub(crate) drifts: bool,
}

impl Schedule {
    pub(crate) fn of(seed: u64, class: Class) -> Self {
        let mut dice = Dice(seed);
        // One in sixteen is sound; in the others, half of all attempts meet something that lets
        // the call go on, so that later attempts are reached.
        let is_sound = dice.one_in(16);
        let mut faults = [[Fault::Sound; ATTEMPTS]; ROUNDS];
        for fault in faults.iter_mut().flatten().filter(|_| !is_sound) {
            *fault = match dice.below(4) {
                0 => Fault::NotSent,
                1 if dice.one_in(2) => Fault::Revoked,
                _ => Fault::ALL[dice.below(Fault::ALL.len())],
            };
        }
        let breaks = match dice.below(24) {
            0 => Some(Break::Intent),
            1 => Some(Break::Sending(dice.below(ATTEMPTS))),
            2 => Some(Break::End),
            _ => None,
        };
        let (step, late, by_caller) = (dice.below(16), dice.one_in(2), dice.one_in(3));
        Self {
            seed,
            class,
            faults,
            breaks: breaks.filter(|_| class == Class::Money && !is_sound),
            tears: dice.one_in(2),
            cut: (!is_sound && dice.one_in(3)).then_some(Cut { step, late, by_caller }),
            drifts: dice.one_in(2),
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("intent-{}", self.seed)
    }

    pub(crate) fn is_sound(&self) -> bool {
        let is_sound = |fault: &Fault| *fault == Fault::Sound;
        self.faults.iter().flatten().all(is_sound) && self.cut.is_none() && self.breaks.is_none()
    }
}

/// Chance from a seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
