//! One caller: its call, and what has happened to it.

use http::Response;
use imts_core::call::Ending;
use imts_core::journal::RecordError;
use imts_core::operation::Json;
use imts_core::time::{Mono, Wall};
use imts_core::{Bearer, Call, Now, Recovery, TransportError};

use super::asks::Ask;
use super::course::{Course, Rules};
use super::faults::Fault;
use super::known::Answer;
use super::ledger::Admitted;

pub(super) struct Caller {
    pub(super) call: Call<Json>,
    /// Which client of its journal it calls.
    pub(super) client: usize,
    pub(super) ask: Ask,
    pub(super) rules: Rules,
    /// Whether its journal records it.
    pub(super) is_recorded: bool,
    /// The number of its record, once it was admitted.
    pub(super) id: Option<u64>,
    pub(super) admitted: Admitted,
    /// Why it was not admitted.
    pub(super) refused: Option<Answer>,
    pub(super) course: Course,
    /// What has happened and was not reported to the call yet.
    pub(super) inbox: Option<Inbox>,
    /// What it waits for a reply to.
    pub(super) awaits: Option<Awaited>,
    /// Until when its journal takes it for being under way, by both clocks.
    pub(super) lease: Option<(Mono, Wall)>,
    /// Its number from its sending on, as long as its end is not recorded.
    pub(super) sending: Option<u64>,
    pub(super) faults: Vec<Fault>,
    /// When its latest request left.
    pub(super) sent_at: Option<Wall>,
    /// The tokens that it was given.
    pub(super) bearers: Vec<Bearer>,
    /// Why no token came.
    pub(super) no_token: Option<Recovery>,
    /// The end that its journal was asked to record.
    pub(super) ended: Option<Ending>,
    /// Whether its token was refused, and the session has not heard of it.
    pub(super) is_rejected: bool,
    /// When it wants to be polled.
    pub(super) until: Option<Mono>,
}

/// A request that is out.
#[derive(Clone, Copy)]
pub(super) struct Awaited {
    pub(super) sent: Now,
    pub(super) until: Mono,
    pub(super) fault: Fault,
}

pub(super) enum Inbox {
    Recorded(Result<u64, RecordError>),
    Reply(Response<Vec<u8>>),
    TransportError(TransportError),
}

impl Caller {
    pub(super) fn new(
        call: Call<Json>,
        ask: Ask,
        (is_recorded, client): (bool, usize),
        number: u64,
        rules: Rules,
    ) -> Self {
        Self {
            call,
            client,
            rules,
            is_recorded,
            id: None,
            admitted: Admitted::alone(number, &ask),
            ask,
            refused: None,
            course: Course::new(rules),
            inbox: None,
            awaits: None,
            lease: None,
            sending: None,
            faults: Vec::new(),
            sent_at: None,
            bearers: Vec::new(),
            no_token: None,
            ended: None,
            is_rejected: false,
            until: None,
        }
    }

    /// Whether its journal has not answered yet.
    pub(super) fn is_recording(&self) -> bool {
        matches!(self.inbox, Some(Inbox::Recorded(_)))
    }

    /// How long it has nothing to do.
    pub(super) fn idle_until(&self) -> Option<Mono> {
        self.until.filter(|_| self.inbox.is_none())
    }
}
