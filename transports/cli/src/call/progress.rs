//! How far a call has come, for the thread that waits for its end or for a signal.
//!
//! Owns what an interrupt does to a call, and what is then reported: exactly one outcome.

use std::sync::OnceLock;

use imts::operation::Json;
use imts::{Class, Outcome};

use super::outcome::About;
use crate::client::Client;
use crate::failure::{Failure, Kind};
use crate::gate::Gate;
use crate::interrupt::{Rest, Signal};

/// What is known of a call that is under way.
#[derive(Default)]
pub(super) struct Progress {
    gate: Gate,
    about: OnceLock<About>,
    client: OnceLock<Client>,
}

impl Progress {
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Records which call it is.
    pub(super) fn is_about(&self, about: About) -> &About {
        self.about.get_or_init(|| about)
    }

    /// Records the client that sends it.
    pub(super) fn goes_by(&self, client: Client) -> &Client {
        self.client.get_or_init(|| client)
    }

    /// Returns which call it is, once that is known.
    pub(super) fn about(&self) -> Result<&About, Failure> {
        self.about.get().ok_or_else(|| Failure::usage("the command failed because of a bug"))
    }

    /// Handles a signal: nothing more is sent. An outcome that is known already is reported
    /// unchanged.
    pub(super) fn interrupted(
        &self,
        signal: Signal,
        rest: Rest<Result<Box<Outcome<Json>>, Failure>>,
        json: bool,
    ) -> Result<(), Failure> {
        let is_on_its_way = self.gate.close();
        let Some(about) = self.about.get() else {
            return Err(Failure::interrupted(signal, "anything was sent"));
        };
        if is_on_its_way {
            return Err(self.cut_off(about, signal));
        }
        // Without a client, the work is still preparing, and that may take long.
        let Some(client) = self.client.get() else { return Err(about.interrupted(signal)) };
        client.close();
        match rest.wait() {
            Some(Ok(outcome)) => match *outcome {
                Outcome::Failed(_) => Err(about.interrupted(signal)),
                outcome => about.tell(outcome, json),
            },
            Some(Err(_)) => Err(about.interrupted(signal)),
            None => Err(self.cut_off(about, signal)),
        }
    }

    /// Creates the failure for work that panicked.
    pub(super) fn panicked(&self) -> Failure {
        match (self.about.get(), self.lost()) {
            (Some(about), Some(sent_at)) => about.broken_off(sent_at),
            _ => Failure::usage("the command failed because of a bug; nothing was sent"),
        }
    }

    /// Returns the exit code of a command that is ended before it could report anything.
    pub(super) fn exit_code(&self) -> u8 {
        let kind = if self.lost().is_some() { Kind::Unknown } else { Kind::Interrupted };
        kind.exit_code()
    }

    fn cut_off(&self, about: &About, signal: Signal) -> Failure {
        match self.lost() {
            Some(sent_at) => about.cut_off(signal, sent_at),
            None => about.interrupted(signal),
        }
    }

    /// Returns when a request left, if its outcome matters.
    fn lost(&self) -> Option<imts::time::Wall> {
        let class = self.about.get().map_or(Class::Read, |about| about.class);
        self.gate.may_have_left().filter(|_| class != Class::Read)
    }
}
