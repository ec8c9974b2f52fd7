//! From a raw request to an event, and from a decision to an answer.
//!
//! Owns the merchant's keys, URLs and settings. Does not know what was answered before.

use http::StatusCode;
use thiserror::Error;

use super::answer::{Answer, AnswerSalt, Unverified};
use super::check::Check;
use super::decision::{Decision, Word};
use super::incoming::{Incoming, ReceiveError};
use super::known::{self, Known};
use super::message::Message;
use super::payout::PayoutResult;
use super::redirect::Redirect;
use super::result::PaymentResult;
use crate::sign::pg_sig::{
    Account, OwnUrl, OwnUrls, PgFields, PgSignError, PgSigner, Salt, XmlRoot,
};

/// Receives the callbacks of one merchant.
///
/// ```
/// use http::Request;
/// use imts_core::callback::{Event, Expected, Incoming, Receiver, Verdict};
/// use imts_core::sign::pg_sig::{AcceptingKey, OwnUrl, OwnUrls, PgSigner};
///
/// let signer = PgSigner::new().with_accepting(AcceptingKey::new("secret")?);
/// let urls = OwnUrls::new([(OwnUrl::Result, "https://shop.example/pay/result")])?;
/// let receiver = Receiver::new(signer, urls)?;
///
/// let body = "pg_order_id=23&pg_payment_id=7&pg_amount=500&pg_currency=KZT&pg_result=1&pg_salt=x\
///             &pg_sig=e9d18061d8a96785a05819158b67a28d";
/// let request = Request::post("/pay/result").body(body)?;
/// let Event::Result(result) = receiver.receive(OwnUrl::Result, Incoming::of(&request))? else {
///     panic!("each URL has its own event")
/// };
/// let expected = Expected::new("23", "500.00", "KZT")?; // from your own order
/// assert!(matches!(result.verdict(&expected), Verdict::Paid(_)));
///
/// let random = [7; 16]; // new random bytes, in a program
/// let answer = receiver.answer(&result.ok("Order paid"), random)?;
/// assert_eq!(answer.status(), 200);
/// assert!(answer.body().starts_with(b"<?xml"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Receiver {
    signer: PgSigner,
    urls: OwnUrls,
    own_names: Vec<String>,
    salt: AnswerSalt,
    unverified: Unverified,
}

/// A verified message, by the URL to which it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The gateway asks before it takes money.
    Check(Check),
    /// The gateway reports the result of a payment.
    Result(PaymentResult),
    /// The gateway reports the result of a payout.
    Payout(PayoutResult),
    /// The user's browser comes back. Nothing follows from it.
    Redirect(Redirect),
}

impl Receiver {
    /// Takes the merchant's keys and URLs.
    ///
    /// # Errors
    ///
    /// [`ReceiverError::NoKey`] if the key for one of the URLs is missing.
    pub fn new(signer: PgSigner, urls: OwnUrls) -> Result<Self, ReceiverError> {
        for url in urls.iter() {
            let account = account(url);
            if !signer.has_key(account) {
                return Err(ReceiverError::NoKey { url, account });
            }
        }
        let (salt, unverified) = (AnswerSalt::default(), Unverified::default());
        Ok(Self { signer, urls, own_names: Vec::new(), salt, unverified })
    }

    /// Expects these names too, such as those of the merchant's own parameters. A message with
    /// another name is in doubt.
    ///
    /// # Errors
    ///
    /// [`ReceiverError::OwnName`] if a name comes before `pg_amount` in the order of bytes, or is
    /// documented already. The payer may choose the value of an own parameter, and could then give
    /// it the name of the amount. Choose a name such as `x_note`.
    pub fn with_own_names<N: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, ReceiverError> {
        for name in names {
            let name = name.into();
            let is_documented =
                known::PAYMENT.iter().chain(known::PAYOUT).any(|(known, _)| *known == name);
            if is_documented || name.as_str() < known::FIRST {
                return Err(ReceiverError::OwnName { name });
            }
            self.own_names.push(name);
        }
        Ok(self)
    }

    /// Sets which salt an answer has. Default: that of the message (assumed).
    #[must_use]
    pub fn with_answer_salt(self, salt: AnswerSalt) -> Self {
        Self { salt, ..self }
    }

    /// Sets what is answered to a message that is not verified. Default: the status 403 (assumed).
    #[must_use]
    pub fn with_unverified(self, unverified: Unverified) -> Self {
        Self { unverified, ..self }
    }

    /// Returns the merchant's URLs.
    #[must_use]
    pub fn urls(&self) -> &OwnUrls {
        &self.urls
    }

    /// Reads and verifies a request that came to one of the merchant's URLs.
    ///
    /// The script is that of the configured URL, whatever the request's own path. The message is in
    /// the query of a GET and in the body of a POST, and each field in it is signed.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]: nothing may follow from the request. Answer with
    /// [`Receiver::answer_unverified`].
    pub fn receive(&self, url: OwnUrl, request: Incoming<'_>) -> Result<Event, ReceiveError> {
        let script = self.urls.script(url).ok_or(ReceiveError::NotConfigured { url })?;
        let fields = request.fields(url)?;
        let verified = self.signer.verify(account(url), script, fields)?;
        let message = |known: &[Known]| Message::new(verified, known, &self.own_names);
        Ok(match url {
            OwnUrl::Check => Event::Check(Check::new(message(known::PAYMENT))),
            OwnUrl::Result => Event::Result(PaymentResult::new(message(known::PAYMENT))),
            OwnUrl::Payout => Event::Payout(PayoutResult::new(message(known::PAYOUT))),
            OwnUrl::Success | OwnUrl::Failure => {
                Event::Redirect(Redirect::new(url, message(known::PAYMENT)))
            }
        })
    }

    /// Signs the answer to a message. `random` is 16 new random bytes.
    ///
    /// # Errors
    ///
    /// [`PgSignError`] if the decision is one of another receiver, which has a key that this one
    /// lacks.
    pub fn answer(&self, decision: &Decision, random: [u8; 16]) -> Result<Answer, PgSignError> {
        let echoed = decision.salt.clone().filter(|_| self.salt == AnswerSalt::Echoed);
        let salt = echoed.unwrap_or_else(|| Salt::from_random(random));
        self.signed(decision, &salt, StatusCode::OK)
    }

    /// Signs the answer to a request that is not a callback. It has the status that
    /// [`Receiver::with_unverified`] sets, always the same text, and nothing of the request.
    ///
    /// # Errors
    ///
    /// [`PgSignError`] if there is no such URL. Answer 404 then.
    pub fn answer_unverified(&self, url: OwnUrl, random: [u8; 16]) -> Result<Answer, PgSignError> {
        let decision = Decision::new(url, Word::Error, "The signature is not right");
        self.signed(&decision, &Salt::from_random(random), self.unverified.status())
    }

    fn signed(
        &self,
        decision: &Decision,
        salt: &Salt,
        status: StatusCode,
    ) -> Result<Answer, PgSignError> {
        let account = account(decision.url);
        let script = self.urls.script(decision.url).ok_or(PgSignError::NoKey { account })?;
        let mut fields = PgFields::new().with("pg_status", decision.word.as_str());
        if !decision.description.is_empty() {
            fields = fields.with("pg_description", decision.description.as_str());
            // Old public modules write this name in an error (assumed).
            if decision.word == Word::Error {
                fields = fields.with("pg_error_description", decision.description.as_str());
            }
        }
        let signed = self.signer.sign(account, script, fields, salt)?;
        Ok(Answer::new(status, signed.to_xml(XmlRoot::Response)?))
    }
}

/// Which key signs the messages to a URL.
const fn account(url: OwnUrl) -> Account {
    match url {
        OwnUrl::Payout => Account::Payouts,
        OwnUrl::Check | OwnUrl::Result | OwnUrl::Success | OwnUrl::Failure => Account::Accepting,
    }
}

/// Why callbacks cannot be received.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiverError {
    /// The key for a URL is missing.
    #[error("the {url} URL needs the key for {account}: add it to the signer")]
    NoKey {
        /// The URL.
        url: OwnUrl,
        /// The account whose key signs its messages.
        account: Account,
    },
    /// An own parameter's name comes before `pg_amount`, or is documented already.
    #[error(
        "the own name `{}` is documented, or comes before pg_amount, so that its value could be \
         taken for the amount: choose a name such as x_note", crate::printable::Printable(.name)
    )]
    OwnName {
        /// The name.
        name: String,
    },
}
