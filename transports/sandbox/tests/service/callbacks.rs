//! Callbacks of the sandbox: as the pages print them, with the faults that a receiver must withstand.
//!
//! The shop of these tests verifies and signs with the core: its reading of the pages is another one.

mod answers;
mod faults;
mod messages;
mod pages;

use http::{Request, Response};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, PgVerifyError, Salt, Script,
    VerifiedFields, XmlRoot,
};
use imts_sandbox::{
    CallbackFault, CallbackRule, DEFAULT_MERCHANT_SECRET, DEFAULT_PAYOUT_SECRET, MessageKind,
    MessageState, NewPayment, PaymentState, RequestMethod, Sandbox, Time,
};

use crate::{NOON, at};

pub(crate) const CHECK: &str = "http://127.0.0.1:9/pay/check";
pub(crate) const RESULT: &str = "http://127.0.0.1:9/pay/result";

/// A shop, and the sandbox that calls it.
#[derive(Default)]
pub(crate) struct Shop {
    pub(crate) service: Sandbox,
    /// The minutes at which a message came.
    pub(crate) heard: Vec<i64>,
}

pub(crate) fn signer() -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new(DEFAULT_MERCHANT_SECRET).unwrap())
        .with_payouts(PayoutKey::new(DEFAULT_PAYOUT_SECRET).unwrap())
}

/// The fields of a callback, however it is carried.
pub(crate) fn fields(request: &Request<Vec<u8>>) -> PgFields {
    let form = match request.method().as_str() {
        "GET" => request.uri().query().unwrap().as_bytes(),
        _ => request.body().as_slice(),
    };
    match form.strip_prefix(b"pg_xml=") {
        Some(xml) => PgFields::from_xml(&decoded(xml)).unwrap(),
        None => PgFields::from_form(form).unwrap(),
    }
}

/// A value of a form, without its escapes.
fn decoded(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [*rest.next().unwrap(), *rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => *byte,
        });
    }
    decoded
}

pub(crate) fn verified(request: &Request<Vec<u8>>) -> Result<VerifiedFields, PgVerifyError> {
    let account = match request.uri().path() {
        "/pay/payout" => Account::Payouts,
        _ => Account::Accepting,
    };
    let script = Script::of(&request.uri().to_string()).unwrap();
    signer().verify(account, &script, fields(request))
}

pub(crate) fn text(request: &Request<Vec<u8>>, name: &str) -> String {
    verified(request).unwrap().text(name).unwrap().to_owned()
}

/// The shop's signed answer, as the page prints it.
pub(crate) fn answer(request: &Request<Vec<u8>>, status: &str) -> Response<Vec<u8>> {
    let script = Script::of(&request.uri().to_string()).unwrap();
    let fields = PgFields::new().with("pg_status", status).with("pg_description", "Ответ & <b>");
    let salt = Salt::new("salt-of-the-shop").unwrap();
    let signed = signer().sign(Account::Accepting, &script, fields, &salt).unwrap();
    let xml = signed.to_xml(XmlRoot::Response).unwrap();
    Response::new(xml.as_ref().to_vec())
}

impl Shop {
    pub(crate) fn payment(&mut self, change: impl FnOnce(&mut NewPayment)) -> u64 {
        let mut asked = NewPayment::new("O1", "20.00");
        asked.result_url = Some(RESULT.to_owned());
        asked.request_method = RequestMethod::Post;
        change(&mut asked);
        self.service.add_payment(NOON, asked).unwrap()
    }

    pub(crate) fn fault(&mut self, fault: CallbackFault) {
        self.service.settings_mut().callback_faults.push(CallbackRule {
            kind: Some(MessageKind::Result),
            when: imts_sandbox::When::Always,
            fault,
        });
    }

    /// The next message that is due now.
    pub(crate) fn next(&mut self, now: Time) -> Option<(u64, Request<Vec<u8>>)> {
        self.service.take_outgoing(now).map(|outgoing| (outgoing.number, outgoing.request))
    }

    /// Lets three hours pass. `answers` decides, by the number of the delivery, counted from 0.
    pub(crate) fn three_hours(
        &mut self,
        mut answers: impl FnMut(usize, &Request<Vec<u8>>) -> Option<Response<Vec<u8>>>,
    ) {
        for minute in 0..180 {
            let now = at(minute * 60);
            while let Some((number, request)) = self.next(now) {
                let answer = answers(self.heard.len(), &request);
                self.heard.push(minute);
                self.service.on_answer(now, number, answer.as_ref());
            }
        }
    }

    pub(crate) fn state(&self) -> PaymentState {
        self.service.payments().last().unwrap().state
    }

    pub(crate) fn message_state(&self) -> MessageState {
        self.service.messages().last().unwrap().state
    }

    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mistakes = self.service.findings().iter().map(|finding| finding.mistake);
        mistakes.map(|mistake| format!("{mistake:?}")).collect()
    }
}
