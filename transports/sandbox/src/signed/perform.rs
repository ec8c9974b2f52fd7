//! What each form operation does, and the fields of its reply.
//!
//! Owns the payments' changes. Does not know signatures, nor what becomes of a repeat.

use http::Request;

use super::form_call::Call;
use super::payments::{Payment, State};
use super::row::Does;
use super::shop::Asked;
use super::{Context, Signed};
use crate::callbacks::PAY_PATH;
use crate::pg_sig::Fields;

impl Signed {
    /// Does what the operation does, and returns the fields of its reply, and whether they are signed.
    pub(super) fn perform(
        &mut self,
        context: &mut Context<'_>,
        call: &Call<'_>,
        asked: Asked,
    ) -> (Fields, bool) {
        let now = context.now;
        let fields = &call.fields;
        let mobile_signed = context.settings.signed.mobile_replies_signed;
        let ok = |more: &[(&str, String)]| answer("ok", more);
        let (id, order) = (fields.one("pg_payment_id"), fields.one("pg_order_id"));
        let found = |payments: &mut super::Payments, state: Option<State>| {
            if let Some((_, payment)) = payments.find(&call.merchant, id, order) {
                payment.state = state.unwrap_or(payment.state);
            }
            id.map(|id| ("pg_payment_id", id.to_owned()))
        };
        let reply = match call.form.does {
            Does::Create => {
                let id = self.add(context, call, asked, State::New);
                let page = page(call.request, &id);
                ok(&[
                    ("pg_payment_id", id),
                    ("pg_redirect_url", page),
                    ("pg_redirect_url_type", "need data".to_owned()),
                ])
            }
            Does::Prepare => {
                let id = self.add(context, call, asked, State::New);
                let more = [("pg_payment_id", id), ("pg_merchant_id", call.merchant.clone())];
                ok(&more)
            }
            Does::Charge => {
                let id = self.add(context, call, asked, State::Taken(now));
                let order = order.map(|order| ("pg_order_id", order.to_owned()));
                ok(&[Some(("pg_payment_id", id)), order].into_iter().flatten().collect::<Vec<_>>())
            }
            Does::Confirm | Does::Clear => {
                ok(found(&mut self.payments, Some(State::Taken(now))).as_slice())
            }
            Does::Cancel | Does::Refund => {
                ok(found(&mut self.payments, Some(State::Revoked)).as_slice())
            }
            Does::Status => self.status(context, call),
            Does::Balance => ok(&[("pg_balance", "1000000".to_owned())]),
            Does::AddCard => {
                let id = self.add(context, call, asked, State::New);
                let user = fields.one("pg_user_id").map(|user| ("pg_user_id", user.to_owned()));
                let page = page(call.request, &id);
                let more = [Some(("pg_payment_id", id)), user, Some(("pg_redirect_url", page))];
                ok(&more.into_iter().flatten().collect::<Vec<_>>())
            }
            Does::ListCards => ok(&[]),
            // Printed: `success`, and a field without the prefix.
            Does::RemoveCard => answer("success", &[("deleted_at", now.to_zoneless())]),
            Does::MobilePay => {
                let more = found(&mut self.payments, None);
                return (answer("need_approve", more.as_slice()), mobile_signed);
            }
            Does::MobileApprove => {
                let more = found(&mut self.payments, Some(State::Taken(now)));
                return (answer("process", more.as_slice()), mobile_signed);
            }
        };
        (reply, true)
    }

    /// Adds a payment, tells the shop of it if it asked for that, and returns its number.
    fn add(
        &mut self,
        context: &mut Context<'_>,
        call: &Call<'_>,
        asked: Asked,
        state: State,
    ) -> String {
        let Context { callbacks, shop, now, .. } = context;
        let id = match asked {
            Asked::Payment(payment) => callbacks.add(shop, payment),
            Asked::Charge(payment) => callbacks.add(shop, payment).inspect(|id| {
                callbacks.pay(shop, *id);
            }),
            Asked::Payout(payout) => callbacks.pay_out(shop, &payout),
            Asked::Silent => Ok(callbacks.number()),
        };
        let id = id.unwrap_or_else(|_| callbacks.number());
        let owned = |name| call.fields.one(name).map(str::to_owned);
        let payment = Payment {
            merchant: call.merchant.clone(),
            order: owned("pg_order_id"),
            amount: owned("pg_amount"),
            currency: owned("pg_currency"),
            made: *now,
            state,
        };
        self.payments.add(id, payment);
        id.to_string()
    }

    fn status(&mut self, context: &Context<'_>, call: &Call<'_>) -> Fields {
        let fields = &call.fields;
        let (id, order) = (fields.one("pg_payment_id"), fields.one("pg_order_id"));
        let Some((id, payment)) = self.payments.find(&call.merchant, id, order) else {
            return error("2999", "there is no such payment");
        };
        let heard = context.callbacks.payment(id).map(|payment| payment.state);
        let status = payment.status(context.now, context.settings.signed.processing, heard);
        let more = [
            Some(("pg_payment_id", id.to_string())),
            payment.order.clone().map(|order| ("pg_order_id", order)),
            payment.amount.clone().map(|amount| ("pg_amount", amount)),
            payment.currency.clone().map(|currency| ("pg_currency", currency)),
            Some(("pg_payment_status", status.to_owned())),
            Some(("pg_create_date", payment.made.to_zoneless())),
        ];
        answer("ok", &more.into_iter().flatten().collect::<Vec<_>>())
    }
}

fn answer(status: &str, more: &[(&str, String)]) -> Fields {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    [("pg_status".to_owned(), status.to_owned())].into_iter().chain(more).collect()
}

pub(super) fn error(code: &str, text: &str) -> Fields {
    answer(
        "error",
        &[("pg_error_code", code.to_owned()), ("pg_error_description", text.to_owned())],
    )
}

/// Returns the page on which a payer pays, at the address under which the sandbox was called.
fn page(request: &Request<Vec<u8>>, id: &str) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    format!("http://{}{PAY_PATH}?payment_id={id}", host.unwrap_or("localhost"))
}
