//! Everything that the crate has said, to be searched.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::sync::Arc;

use imts_core::Session;
use imts_core::error::ReplyError;
use imts_core::session::{RenewalCause, RenewalError};

/// Each text once, and what said it first.
#[derive(Default)]
pub(crate) struct Outputs(pub(crate) BTreeMap<String, String>);

impl Outputs {
    fn said(&mut self, what: &str, text: String) {
        self.0.entry(text).or_insert_with(|| what.to_owned());
    }

    /// A value that has `Debug` alone.
    pub(crate) fn show(&mut self, what: &str, value: &impl Debug) {
        self.said(what, format!("{value:?}\n{value:#?}\n{value:x?}"));
    }

    /// A value that is printed, too.
    pub(crate) fn print(&mut self, what: &str, value: &(impl Debug + Display)) {
        self.show(what, value);
        self.said(what, format!("{value}\n{value:#}\n{value:>200}"));
    }

    /// An error, with all that caused it.
    pub(crate) fn error(&mut self, what: &str, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.print(what, &error);
            next = error.source();
        }
    }

    pub(crate) fn renewal_error(&mut self, error: &Arc<RenewalError>) {
        self.error("a renewal error", error.as_ref());
        self.show("a cause", error.why());
        self.print("a recovery", &error.recovery());
        if let RenewalCause::Reply(error) = error.why() {
            self.error("a reply's error", error);
            match error {
                ReplyError::Refused(refusal) => {
                    self.print("a refusal", refusal);
                    self.show("a code and a message", &(refusal.code(), refusal.message()));
                }
                ReplyError::Malformed(malformed) => self.error("malformed", malformed),
                _ => {}
            }
        }
        if let RenewalCause::Failed(failure) = error.why() {
            self.error("a failure", failure);
        }
    }

    pub(crate) fn session(&mut self, session: &Session, now: imts_core::Now) {
        self.show("a session", session);
        let phase = session.phase(now);
        self.print("a phase", &phase);
        if let Some(usable) = phase.usable() {
            self.show("usable", &usable);
            self.show("a bearer", usable.bearer());
            self.show("a bearer's header", usable.bearer().header());
        }
        if let Some(saved) = session.saved(now) {
            self.show("a saved state", &saved);
        }
        if let Some(error) = session.last_error() {
            self.renewal_error(error);
        }
        let health = session.health(now);
        self.show("its health", &health);
        self.said("its health, serialized", serde_json::to_string_pretty(&health).unwrap());
        if let Some(last) = &health.last_error {
            self.print("the last error", last);
        }
        self.print("an endpoint", session.endpoint());
        self.show("a policy", session.policy());
    }
}
