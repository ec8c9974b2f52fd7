//! What the sandbox says by itself: payments and their callbacks, and the messages on their way.

use std::time::Duration;

use http::{Method, Request, Response};

use super::Sandbox;
use crate::callbacks::{self, Callbacks, NewPayment, NewPayout, PAY_PATH, Payment};
use crate::finding::Finding;
use crate::log::Verdict;
use crate::outbox::{Message, MessageKind, Outgoing};
use crate::time::Time;
use crate::urlencoded;

impl Sandbox {
    /// Returns what clients and receivers did that they must not do, oldest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.findings.all()
    }

    /// Takes a payment that a payer can make. Returns its number.
    ///
    /// # Errors
    ///
    /// Returns a text that says what is wrong with it: a field's form, an unknown merchant, or a URL
    /// that the sandbox does not send to.
    pub fn add_payment(&mut self, now: Time, asked: NewPayment) -> Result<u64, String> {
        let (callbacks, context) = self.callbacks(now);
        callbacks.add(&context, asked)
    }

    /// Returns the payments, oldest first.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.callbacks.payments()
    }

    /// Pays, as the payer. The shop is asked first, if it gave a check URL. Returns whether the payment
    /// was open.
    pub fn pay(&mut self, now: Time, payment_id: u64) -> bool {
        let (callbacks, mut context) = self.callbacks(now);
        callbacks.pay(&mut context, payment_id)
    }

    /// Declines, as the payer. Returns whether the payment was open.
    pub fn decline(&mut self, now: Time, payment_id: u64) -> bool {
        let (callbacks, mut context) = self.callbacks(now);
        callbacks.decline(&mut context, payment_id)
    }

    /// Sends a check or a result of a payment once more, with this `pg_result`, whatever the payment's
    /// state. Returns whether the payment is known and has a URL for it.
    pub fn say(&mut self, now: Time, payment_id: u64, kind: MessageKind, result: u8) -> bool {
        let (callbacks, mut context) = self.callbacks(now);
        callbacks.say(&mut context, payment_id, kind, result)
    }

    /// Sends the notification of a payout. Returns its number.
    ///
    /// # Errors
    ///
    /// Returns a text that says what is wrong with it.
    pub fn pay_out(&mut self, now: Time, payout: &NewPayout) -> Result<u64, String> {
        let (callbacks, mut context) = self.callbacks(now);
        callbacks.pay_out(&mut context, payout)
    }

    /// Takes a message that the sandbox sends at this time, if one is due. The socket front takes and
    /// sends them by itself. In process, a test delivers it and calls
    /// [`on_answer`](Sandbox::on_answer).
    pub fn take_outgoing(&mut self, now: Time) -> Option<Outgoing> {
        self.outbox.take_due(self.server_time(now))
    }

    /// Takes the answer to a message that was sent: `None` if none came. A message that was not
    /// answered with 200 is due again after 30 minutes, for two hours (published, of results). A check
    /// is not sent again: no answer is a refusal (published).
    pub fn on_answer(&mut self, now: Time, number: u64, answer: Option<&Response<Vec<u8>>>) {
        let status = answer.map(|answer| answer.status().as_u16());
        let seen = self.outbox.answered(self.server_time(now), number, status);
        if let Some(seen) = seen {
            let (callbacks, mut context) = self.callbacks(now);
            callbacks.on_answer(&mut context, number, seen, answer);
        }
    }

    /// Returns the messages that the sandbox sends or has sent by itself, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.outbox.messages()
    }

    /// Returns how long it is until the next message is due. `None` if none waits.
    pub(crate) fn next_due(&self, now: Time) -> Option<Duration> {
        let due = self.outbox.next_due()?;
        let micros = due.micros().saturating_sub(self.server_time(now).micros());
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or_default()))
    }

    /// Answers the payer's browser, if the request is for the page where it pays.
    pub(crate) fn payers_page(
        &mut self,
        at: Time,
        request: &Request<Vec<u8>>,
    ) -> Option<(Verdict, Response<Vec<u8>>)> {
        let (callbacks, mut context) = self.callbacks(at);
        let response = match *request.method() {
            _ if request.uri().path() != PAY_PATH => return None,
            Method::GET => callbacks.show(&context, request.uri().query().unwrap_or_default()),
            Method::POST => {
                let text = std::str::from_utf8(request.body()).unwrap_or_default();
                callbacks.choose(&mut context, &urlencoded::read(text).unwrap_or_default())
            }
            _ => return None,
        };
        Some((Verdict::Page, response))
    }

    /// Returns the callbacks, and what they need at this time.
    fn callbacks(&mut self, at: Time) -> (&mut Callbacks, callbacks::Context<'_>) {
        let context = callbacks::Context {
            at,
            now: at.shifted(self.settings.skew_micros),
            limit: self.settings.memory_limit,
            merchants: &self.settings.merchants,
            rules: &self.settings.callback_faults,
            findings: &mut self.findings,
            outbox: &mut self.outbox,
        };
        (&mut self.callbacks, context)
    }
}
