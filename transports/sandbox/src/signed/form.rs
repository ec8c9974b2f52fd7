//! The form operations: what they check, what becomes of a repeat, and what they answer.
//!
//! Owns the order of the checks. A request of an unknown merchant, or one with a wrong signature, has the
//! one reply without salt and signature: 9998 (published).

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use super::form_call::Call;
use super::perform::error;
use super::reply::{FormReply, Signature};
use super::row::{Account, Does, Form, parameter};
use super::shop;
use super::tree::Tree;
use super::{
    Context, KeyRepeat, ReplyScript, Signed, SignedOperation, StatusForm, applies, message,
};
use crate::log::Verdict;
use crate::operation::{Class, Operation};
use crate::pg_sig::{self, Fields, SALT};
use crate::reply::{self, Answer};
use crate::request::{Refusal, bad_request};
use crate::served::{Evidence, Scripted};

/// A form request with a `pg_idempotency_key` that was processed.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    operation: SignedOperation,
    response: Response<Vec<u8>>,
}

impl Signed {
    pub(super) fn answer_form(
        &mut self,
        mut context: Context<'_>,
        operation: SignedOperation,
        form: &'static Form,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::POST) {
            return Err(bad_request(405, "only POST and GET are allowed"));
        }
        let fields = message::read(request, form.does == Does::Create)?;
        let Some((merchant, key)) = signer(&context, operation, form, &fields, request) else {
            return Ok((Verdict::BadSignature, unidentified(&context)));
        };
        let call = Call { operation, form, merchant, key, fields, request };
        if call.fields.one(SALT).is_none_or(str::is_empty) {
            return Ok((
                Verdict::BadRequest,
                self.refuse(&context, &call, "1001", "pg_salt is missing"),
            ));
        }
        if self.is_too_fast(&context, &call) {
            let mut response = self.refuse(&context, &call, "10006", "the calls come too fast");
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(2));
            return Ok((Verdict::TooFast, response));
        }
        let repeat = context.settings.signed.key_repeat;
        if let Some(known) = self.known_key(&call).filter(|_| repeat != KeyRepeat::Applies) {
            if repeat == KeyRepeat::Replays && known.operation == operation {
                return Ok((Verdict::Replayed, known.response.clone()));
            }
            let text = "pg_idempotency_key is not unique";
            return Ok((Verdict::Repeated, self.refuse(&context, &call, "9991", text)));
        }
        self.carry_out(&mut context, &call)
    }

    fn known_key(&self, call: &Call<'_>) -> Option<&Keyed> {
        let key = call.idempotency_key()?;
        self.keyed.get(&(call.merchant.clone(), key.to_owned()))
    }

    fn is_too_fast(&self, context: &Context<'_>, call: &Call<'_>) -> bool {
        let (Some(pace), Some(last)) =
            (context.settings.signed.pace, self.paced.get(&call.merchant))
        else {
            return false;
        };
        call.operation.class() == Class::Money && context.now < last.after(pace)
    }

    fn carry_out(&mut self, context: &mut Context<'_>, call: &Call<'_>) -> Answer {
        let (operation, limit) = (call.operation, context.settings.memory_limit);
        let (name, reads) = (Operation::Signed(operation), operation.class() == Class::Read);
        let asked = match shop::asked(call) {
            Ok(asked) => asked,
            Err(text) => {
                return Ok((Verdict::BadRequest, self.refuse(context, call, "1001", &text)));
            }
        };
        let intent = call.intent();
        let is_full = self.payments.len() >= limit || self.keyed.len() >= limit;
        if !reads && (is_full || !context.ledger.has_room(name, intent, limit)) {
            return Err(Refusal::new(503, Verdict::LedgerFull, "the sandbox's ledger is full"));
        }
        let scripted = context.scripted(operation);
        let is_applied = !reads && applies(scripted.as_ref());
        if operation.class() == Class::Money {
            self.paced.insert(call.merchant.clone(), context.now);
        }
        if is_applied {
            context.ledger.apply(context.at, name, intent);
        }
        let (fields, is_signed) = match is_applied || reads {
            true => self.perform(context, call, asked),
            false => (error("1001", "refused by a script"), true),
        };
        let response = self.respond(context, call, fields, is_signed, scripted);
        if let Some(key) = call.idempotency_key().filter(|_| is_applied) {
            let key = (call.merchant.clone(), key.to_owned());
            self.keyed.insert(key, Keyed { operation, response: response.clone() });
        }
        let verdict = if is_applied { Verdict::Applied } else { Verdict::Answered };
        Ok((verdict, response))
    }

    fn respond(
        &mut self,
        context: &Context<'_>,
        call: &Call<'_>,
        mut fields: Fields,
        is_signed: bool,
        scripted: Option<Scripted>,
    ) -> Response<Vec<u8>> {
        let scripted = scripted.unwrap_or_default();
        let (status, latency) = (scripted.status_code(), scripted.latency());
        if let Some(Value::Object(whole)) = scripted.body {
            fields = whole.into_iter().map(|(name, value)| (name, text(&value))).collect();
        }
        if let Some(Value::Object(more)) = scripted.payload {
            fields.retain(|(name, _)| !more.contains_key(name));
            fields.extend(more.into_iter().map(|(name, value)| (name, text(&value))));
        }
        let mut response = self.signed_reply(context, call, fields, is_signed, status);
        reply::delay(&mut response, latency);
        response
    }

    fn refuse(
        &mut self,
        context: &Context<'_>,
        call: &Call<'_>,
        code: &str,
        text: &str,
    ) -> Response<Vec<u8>> {
        let status = context.refusal_status();
        self.signed_reply(context, call, error(code, text), true, status)
    }

    /// Signs a reply with a new salt and the script of the called path.
    fn signed_reply(
        &mut self,
        context: &Context<'_>,
        call: &Call<'_>,
        mut fields: Fields,
        is_signed: bool,
        status: StatusCode,
    ) -> Response<Vec<u8>> {
        let signed = &context.settings.signed;
        let script = pg_sig::script(call.request.uri().path()).to_owned();
        let has_none = matches!(call.form.does, Does::Prepare | Does::Confirm)
            && signed.reply_script == ReplyScript::CalledOrNone;
        let script = Some(script).filter(|_| !has_none);
        let signature = is_signed.then(|| {
            self.salts += 1;
            fields.push((SALT.to_owned(), salt(self.salts)));
            Signature { script, key: call.key.clone() }
        });
        let is_json = call.form.does == Does::Status && signed.status_form == StatusForm::Json;
        let reply = FormReply { fields, signed: signature, is_json };
        reply.response(status, context.now, call.operation.row().reply)
    }
}

/// Returns the merchant that signed a request, and the key that it is signed with.
fn signer(
    context: &Context<'_>,
    operation: SignedOperation,
    form: &Form,
    fields: &Tree,
    request: &Request<Vec<u8>>,
) -> Option<(String, String)> {
    let path = request.uri().path();
    let in_path = operation.paths().iter().find_map(|known| parameter(known, path));
    let in_fields = fields.one("pg_merchant_id");
    if fields.has("pg_merchant_id") && in_fields.is_none() {
        return None;
    }
    let merchant = match (in_path, in_fields) {
        (Some(path), Some(field)) if path != field => return None,
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return None,
    };
    let known = context.settings.merchants.get(merchant)?;
    let keys: &[&String] = match form.account {
        Account::Accepting => &[&known.secret],
        Account::Payouts => &[&known.payout_secret],
        Account::Either => &[&known.secret, &known.payout_secret],
    };
    let (signature, leaves) = fields.flattened()?;
    let script = pg_sig::script(path);
    let key = keys.iter().find(|key| pg_sig::signature(script, &leaves, key) == signature)?;
    Some((merchant.to_owned(), (*key).clone()))
}

/// The one reply without salt and signature (published).
fn unidentified(context: &Context<'_>) -> Response<Vec<u8>> {
    let fields = error("9998", "the merchant is unknown, or the signature is wrong");
    let reply = FormReply { fields, signed: None, is_json: false };
    reply.response(context.refusal_status(), context.now, Evidence::Published)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns a salt that no other reply has: 16 characters, as the vendor's.
fn salt(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
