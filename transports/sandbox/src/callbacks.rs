//! Callbacks: what the sandbox tells a shop about a payment, and how it judges the answers.
//!
//! Owns the payments that a payer can make in the sandbox, and the first answer to each message. The
//! messages are signed by the sandbox's own reading of the pages. Opens no connection: messages go to
//! the outbox.

mod amount;
mod fault;
mod message;
mod page;
mod payment;

use std::collections::BTreeMap;
use std::time::Duration;

use http::Response;

pub use self::fault::{CallbackFault, CallbackRule};
use self::message::Answered;
pub(crate) use self::page::PAY_PATH;
pub use self::payment::{BackMethod, NewPayment, NewPayout, Payment, PaymentState, RequestMethod};
use crate::finding::{Findings, Mistake};
use crate::merchant::Merchant;
use crate::outbox::{Letter, MessageKind, Outbox, Seen};
use crate::pg_sig::{self, Fields};
use crate::time::Time;

/// The payments, and what was said about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Callbacks {
    payments: BTreeMap<u64, Payment>,
    made: u64,
    salts: u64,
    /// By the number of the message.
    sent: BTreeMap<u64, Sent>,
    /// The first answer to what was said of a payment, by its number, the kind and `pg_result`.
    answers: BTreeMap<(u64, MessageKind, String), Vec<u8>>,
    rules: Vec<CallbackRule>,
    counts: Vec<u64>,
}

/// What is needed to judge the answers to a message.
#[derive(Clone, Debug)]
struct Sent {
    payment_id: u64,
    kind: MessageKind,
    result: String,
    script: String,
    key: String,
    can_reject: bool,
    is_forged: bool,
    deliveries: u32,
}

/// A message before it is signed.
struct Unsigned<'a> {
    payment_id: u64,
    kind: MessageKind,
    method: RequestMethod,
    url: &'a str,
    fields: Fields,
    key: &'a str,
}

/// What callbacks need to know, and where they write.
pub(crate) struct Context<'a> {
    /// The time that the caller gave, as in the log.
    pub(crate) at: Time,
    /// The time by the service's clock.
    pub(crate) now: Time,
    pub(crate) limit: usize,
    pub(crate) merchants: &'a BTreeMap<String, Merchant>,
    pub(crate) rules: &'a [CallbackRule],
    pub(crate) findings: &'a mut Findings,
    pub(crate) outbox: &'a mut Outbox,
}

impl Callbacks {
    /// Takes a payment. Returns its number. The text of an error says what is wrong with it.
    pub(crate) fn add(&mut self, context: &Context<'_>, asked: NewPayment) -> Result<u64, String> {
        asked.check()?;
        if !context.merchants.contains_key(&asked.merchant_id) {
            return Err("merchant_id is not known".to_owned());
        }
        while self.payments.len() >= context.limit.max(1) {
            self.payments.pop_first();
        }
        let payment_id = self.number();
        let state = PaymentState::New;
        self.payments.insert(payment_id, Payment { payment_id, state, asked, shops_words: None });
        Ok(payment_id)
    }

    pub(crate) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    pub(crate) fn payment(&self, payment_id: u64) -> Option<&Payment> {
        self.payments.get(&payment_id)
    }

    /// Lets the payer pay. The shop is asked first, if it wants to be. Returns whether the payer could
    /// still decide.
    pub(crate) fn pay(&mut self, context: &mut Context<'_>, payment_id: u64) -> bool {
        let Some(payment) = self.payments.get_mut(&payment_id) else { return false };
        if payment.state != PaymentState::New {
            return false;
        }
        if payment.asked.check_url.is_some() {
            payment.state = PaymentState::Checking;
            self.say(context, payment_id, MessageKind::Check, 1);
        } else {
            payment.state = PaymentState::Paid;
            self.say(context, payment_id, MessageKind::Result, 1);
        }
        true
    }

    /// Lets the payer decline. Returns whether the payer could still decide.
    pub(crate) fn decline(&mut self, context: &mut Context<'_>, payment_id: u64) -> bool {
        let Some(payment) = self.payments.get_mut(&payment_id) else { return false };
        if payment.state != PaymentState::New {
            return false;
        }
        payment.state = PaymentState::Failed;
        self.say(context, payment_id, MessageKind::Result, 0);
        true
    }

    /// Sends a check or a result of a payment, whatever its state. Returns whether there is a URL for
    /// it.
    pub(crate) fn say(
        &mut self,
        context: &mut Context<'_>,
        payment_id: u64,
        kind: MessageKind,
        result: u8,
    ) -> bool {
        let Some(payment) = self.payments.get(&payment_id) else { return false };
        let url = match kind {
            MessageKind::Check => payment.asked.check_url.clone(),
            MessageKind::Result => payment.asked.result_url.clone(),
            _ => None,
        };
        let Some(url) = url else { return false };
        let mut fields = match kind {
            MessageKind::Check => message::check(payment),
            _ => message::result(payment, result, context.now),
        };
        fields.extend(message::of_query(&url));
        let (method, merchant) = (payment.asked.request_method, payment.asked.merchant_id.clone());
        let keys = context.merchants.get(&merchant).cloned().unwrap_or_default();
        let key = &keys.secret;
        self.post(context, Unsigned { payment_id, kind, method, url: &url, fields, key });
        true
    }

    /// Sends the notification of a payout. Returns its number. The text of an error says what is wrong
    /// with it.
    pub(crate) fn pay_out(
        &mut self,
        context: &mut Context<'_>,
        payout: &NewPayout,
    ) -> Result<u64, String> {
        let merchant = context.merchants.get(&payout.merchant_id);
        let key = merchant.ok_or("merchant_id is not known")?.payout_secret.clone();
        payout.check()?;
        let payment_id = self.number();
        let fields = message::payout(payout, payment_id, context.now);
        let (kind, method) = (MessageKind::Payout, RequestMethod::Post);
        let (url, key) = (payout.post_link.as_str(), key.as_str());
        self.post(context, Unsigned { payment_id, kind, method, url, fields, key });
        Ok(payment_id)
    }

    /// Returns how the payer's browser goes back to the shop: the URL, the method and the signed
    /// fields. `None` while the payment is open, or if the shop gave no URL.
    pub(crate) fn back(
        &mut self,
        context: &Context<'_>,
        payment_id: u64,
    ) -> Option<(String, BackMethod, Fields)> {
        let payment = self.payments.get(&payment_id)?;
        let (url, method) = message::way_back(payment)?;
        let mut fields = message::back(payment);
        let keys = context.merchants.get(&payment.asked.merchant_id)?;
        // One salt for each payment and outcome: the page may be shown often.
        let salt = message::salt(payment_id);
        message::sign(&mut fields, url, salt, &keys.secret);
        Some((url.to_owned(), method, fields))
    }

    /// Judges what a receiver answered to a message that the outbox saw delivered.
    pub(crate) fn on_answer(
        &mut self,
        context: &mut Context<'_>,
        number: u64,
        seen: Seen,
        answer: Option<&Response<Vec<u8>>>,
    ) {
        let Some(sent) = self.sent.get_mut(&number) else { return };
        sent.deliveries += 1;
        let sent = sent.clone();
        let body = answer.filter(|answer| answer.status() == 200).map(Response::body);
        let read = body.and_then(|body| message::answered(body, &sent.script, &sent.key));
        let (is_same, is_first) = match body {
            Some(body) => self.compare(context.limit, &sent, body),
            None => (true, false),
        };
        for mistake in mistakes(&sent, body.is_some(), read.as_ref(), is_same, is_first) {
            context.findings.push(context.at, mistake, Some(sent.payment_id));
        }
        let read = read.filter(|read| read.is_signed && !seen.is_lost);
        match sent.kind {
            MessageKind::Check => self.checked(context, sent.payment_id, read),
            MessageKind::Result if sent.can_reject && sent.deliveries == 1 => {
                self.told(sent.payment_id, read);
            }
            _ => {}
        }
    }

    pub(crate) fn reset(&mut self) {
        // Numbers and salts go on: no payment has the number of an earlier one.
        *self = Self { made: self.made, salts: self.salts, ..Self::default() };
    }

    /// Returns the number of a new payment, payout or card.
    pub(crate) fn number(&mut self) -> u64 {
        self.made += 1;
        1_000_000 + self.made
    }

    /// Signs a message and gives it to the outbox, with the faults of the rules that pick it.
    fn post(&mut self, context: &mut Context<'_>, unsigned: Unsigned<'_>) {
        let Unsigned { payment_id, kind, method, url, mut fields, key } = unsigned;
        let faults = self.faults(context.rules, kind);
        faults.iter().for_each(|fault| fault::change(&mut fields, fault));
        self.salts += 1;
        message::sign(&mut fields, url, message::salt(self.salts), key);
        let script = pg_sig::script(url).to_owned();
        let value =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|it| it.1.clone());
        let (can_reject, result) = (value("pg_can_reject"), value("pg_result"));
        faults.iter().for_each(|fault| fault::forge(&mut fields, fault));
        let is_forged = faults.contains(&CallbackFault::WrongSignature);
        let (mut repeats, mut lost_answers, mut delay) = (0, 0, 0);
        for fault in &faults {
            match fault {
                CallbackFault::Repeats(times) => repeats = *times,
                CallbackFault::LostAnswers(times) => lost_answers = *times,
                CallbackFault::DelayedS(seconds) => delay = *seconds,
                _ => {}
            }
        }
        let letter = Letter {
            kind,
            payment_id: Some(payment_id),
            request: message::carried(method, url, &fields),
            repeats,
            lost_answers,
            // No answer to a check is a refusal (published).
            is_retried: kind != MessageKind::Check,
        };
        let due = context.now.after(Duration::from_secs(delay.into()));
        let number = context.outbox.push(due, letter);
        while self.sent.len() >= context.limit.max(1) {
            self.sent.pop_first();
        }
        let sent = Sent {
            payment_id,
            kind,
            result: result.unwrap_or_default(),
            script,
            key: key.to_owned(),
            can_reject: can_reject.as_deref() == Some("1"),
            is_forged,
            deliveries: 0,
        };
        self.sent.insert(number, sent);
    }

    /// Returns the faults of every rule that picks the next message of this kind.
    fn faults(&mut self, rules: &[CallbackRule], kind: MessageKind) -> Vec<CallbackFault> {
        if self.rules != rules {
            (self.rules, self.counts) = (rules.to_vec(), vec![0; rules.len()]);
        }
        let about = |rule: &CallbackRule| rule.kind.is_none_or(|only| only == kind);
        let rules = rules.iter().zip(&mut self.counts).filter(|(rule, _)| about(rule));
        rules
            .filter_map(|(rule, count)| {
                *count += 1;
                rule.when.picks(*count).then(|| rule.fault.clone())
            })
            .collect()
    }

    /// Returns whether this is the first answer to what was said, and whether it equals the first one.
    fn compare(&mut self, limit: usize, sent: &Sent, body: &[u8]) -> (bool, bool) {
        let key = (sent.payment_id, sent.kind, sent.result.clone());
        if let Some(first) = self.answers.get(&key) {
            return (first == body, false);
        }
        while self.answers.len() >= limit.max(1) {
            self.answers.pop_first();
        }
        self.answers.insert(key, body.to_vec());
        (true, true)
    }

    /// Goes on with a payment after its check: money is taken only if the shop agreed.
    fn checked(&mut self, context: &mut Context<'_>, payment_id: u64, read: Option<Answered>) {
        let Some(payment) = self.payments.get_mut(&payment_id) else { return };
        if payment.state != PaymentState::Checking {
            return;
        }
        let agrees = read.as_ref().is_some_and(|read| read.status == "ok");
        payment.shops_words = read.and_then(|read| read.description);
        if agrees {
            payment.state = PaymentState::Paid;
            self.say(context, payment_id, MessageKind::Result, 1);
        } else {
            payment.state = PaymentState::Refused;
        }
    }

    /// Gives the money back if the shop rejected the result.
    fn told(&mut self, payment_id: u64, read: Option<Answered>) {
        let Some(payment) = self.payments.get_mut(&payment_id) else { return };
        let Some(read) = read.filter(|read| read.status == "rejected") else { return };
        if payment.state == PaymentState::Paid {
            payment.state = PaymentState::Rejected;
            payment.shops_words = read.description;
        }
    }
}

/// Returns what was wrong about an answer with 200. An answer to a forged message may be anything but
/// `ok`.
fn mistakes(
    sent: &Sent,
    has_answer: bool,
    read: Option<&Answered>,
    is_same: bool,
    is_first: bool,
) -> Vec<Mistake> {
    if !has_answer {
        return Vec::new();
    }
    if sent.is_forged {
        let accepts = read.is_some_and(|read| read.status == "ok");
        return accepts.then_some(Mistake::ForgeryAccepted).into_iter().collect();
    }
    // The answer to a payout is 200 alone (published).
    let must_be_xml = sent.kind != MessageKind::Payout;
    let is_rejected = read.is_some_and(|read| read.status == "rejected");
    let may_reject = sent.can_reject && (is_first || is_same);
    [
        (!is_same, Mistake::AnswerChanged),
        (must_be_xml && read.is_none(), Mistake::AnswerUnreadable),
        (read.is_some_and(|read| !read.is_signed), Mistake::AnswerUnsigned),
        (sent.kind == MessageKind::Result && is_rejected && !may_reject, Mistake::RejectedTooLate),
    ]
    .into_iter()
    .filter_map(|(is_made, mistake)| is_made.then_some(mistake))
    .collect()
}
