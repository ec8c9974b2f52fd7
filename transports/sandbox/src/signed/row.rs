//! What one signed operation is, as data. Does not know any operation.

use http::Method;

use crate::evidence::Evidence;
use imts_core::Class;

/// One operation as the sandbox serves it.
#[derive(Debug)]
pub(crate) struct Row {
    /// The service's name and the operation's, with a point between them.
    pub(crate) name: &'static str,
    /// Other operations that the same path serves.
    pub(crate) also: &'static [&'static str],
    /// The paths. A part in braces stands for any value.
    pub(crate) paths: &'static [&'static str],
    pub(crate) class: Class,
    /// How certain the path is.
    pub(crate) evidence: Evidence,
    /// How certain the reply's form is.
    pub(crate) reply: Evidence,
    pub(crate) scheme: Scheme,
}

/// How an operation is signed, and what it does.
#[derive(Debug)]
pub(crate) enum Scheme {
    Jws(Jws),
    Form(Form),
}

/// A JSON operation with a detached JWS.
#[derive(Debug)]
pub(crate) struct Jws {
    pub(crate) party: Party,
    pub(crate) algorithms: &'static [Algorithm],
    pub(crate) envelope: Envelope,
    pub(crate) id: Id,
    pub(crate) repeat: Repeat,
}

/// Whose key signs a request, and in which field of the token its owner is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// A partner, in `auth_id`.
    Partner,
    /// A merchant, in `auth_id`.
    Merchant,
    /// A merchant, in `merchant_id`: a text or a number, because the page has both.
    Invoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    Hs512,
}

/// The form of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `status` `ok` or `error`, `request_status` as a word, the code as a number, `dt`.
    Flat,
    /// The same, with `request_status` and the code as the E-Money page prints them: `0`, `1`, `2`,
    /// and a text.
    EMoney,
    /// Like `Flat`, without a `request_status`.
    Plain,
    /// `status` as a number, `datetime`.
    Gift,
    /// `error_code` 0, and a document of ISO 20022 in `document_body`.
    Settlement,
    /// The result in the reply's headers, and `{}`.
    Headers,
    /// An invoice's own status beside the flat one.
    Invoice,
}

/// Where the id of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// In a field of the body, which must be a UUID.
    Uuid(&'static str),
    /// In a field of the body.
    Field(&'static str),
    /// In the header `X-Request-Id`, which must be a UUID.
    Header,
    /// The operation has none.
    Nowhere,
}

/// What happens to a request whose id came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is refused and not processed.
    Refused,
    /// The original reply is sent again.
    Replayed,
    /// It is processed again.
    Applied,
}

/// A form operation with `pg_sig`.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) account: Account,
    pub(crate) does: Does,
    /// Whether `pg_idempotency_key` is named on the operation's page.
    pub(crate) has_key: bool,
}

/// Which of a merchant's two keys signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Accepting,
    Payouts,
    /// Either of them, because one path serves both.
    Either,
}

/// What a form operation does in the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Creates a payment that a payer finishes on a page.
    Create,
    /// Creates a payment that a second call finishes.
    Prepare,
    /// Finishes a prepared payment.
    Confirm,
    /// Takes or sends money at once.
    Charge,
    Cancel,
    Clear,
    Refund,
    Status,
    Balance,
    AddCard,
    ListCards,
    RemoveCard,
    MobilePay,
    MobileApprove,
}

impl Row {
    /// Returns whether the operation is at this path.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.paths.iter().any(|known| fits(known, path))
    }

    /// Returns the method that the operation takes. Form operations take `GET` as well.
    pub(crate) fn method(&self) -> Method {
        match &self.scheme {
            Scheme::Jws(Jws { envelope: Envelope::Settlement, .. }) => Method::GET,
            _ => Method::POST,
        }
    }
}

/// Returns the value of the part in braces, if the path has one.
pub(crate) fn parameter<'a>(known: &str, path: &'a str) -> Option<&'a str> {
    let mut parts = known.split('/').zip(path.split('/'));
    parts.find(|(known, _)| known.starts_with('{')).map(|(_, part)| part)
}

pub(crate) fn fits(known: &str, path: &str) -> bool {
    let same = |(known, part): (&str, &str)| match known.starts_with('{') {
        true => is_parameter(part),
        false => known == part,
    };
    known.split('/').count() == path.split('/').count()
        && known.split('/').zip(path.split('/')).all(same)
}

fn is_parameter(part: &str) -> bool {
    (1..=64).contains(&part.len())
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
