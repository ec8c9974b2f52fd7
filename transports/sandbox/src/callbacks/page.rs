//! The page on which a payer pays or declines, and from which the browser goes back to the shop.

use http::{Response, StatusCode};

use super::payment::{BackMethod, Payment, PaymentState};
use super::{Callbacks, Context};
use crate::page::{self, Page};
use crate::pg_sig::Fields;
use crate::time::Time;
use crate::{urlencoded, xml};

/// The path of the page. It is the sandbox's own: no page of the vendor prints one.
pub(crate) const PAY_PATH: &str = "/pay";

impl Callbacks {
    /// Shows where a payment stands, and what the payer can do.
    pub(crate) fn show(&mut self, context: &Context<'_>, query: &str) -> Response<Vec<u8>> {
        let fields = urlencoded::read(query).unwrap_or_default();
        let number = urlencoded::one(&fields, "payment_id").and_then(|number| number.parse().ok());
        let back = number.and_then(|number| self.back(context, number));
        let Some(payment) = number.and_then(|number| self.payment(number)) else {
            let content = "<p>Go back to the shop and pay again.</p>".to_owned();
            let page = Page::new("There is no such payment", content);
            return Page { status: StatusCode::NOT_FOUND, ..page }.response(context.now);
        };
        shown(context.now, payment, back.as_ref())
    }

    /// Takes what the payer chose. Sends the browser to the page again.
    pub(crate) fn choose(&mut self, context: &mut Context<'_>, form: &Fields) -> Response<Vec<u8>> {
        let number = urlencoded::one(form, "payment_id").and_then(|number| number.parse().ok());
        let number: u64 = number.unwrap_or_default();
        match urlencoded::one(form, "choice") {
            Some("pay") => self.pay(context, number),
            Some("decline") => self.decline(context, number),
            _ => false,
        };
        page::see_other(&format!("{PAY_PATH}?payment_id={number}"), context.now)
    }
}

fn shown(
    now: Time,
    payment: &Payment,
    back: Option<&(String, BackMethod, Fields)>,
) -> Response<Vec<u8>> {
    let asked = &payment.asked;
    let price = format!("{} {}", xml::escaped(&asked.amount), xml::escaped(&asked.currency));
    let title = match payment.state {
        PaymentState::New => "Pay",
        PaymentState::Checking => "The shop is being asked",
        PaymentState::Paid => "Paid",
        PaymentState::Failed => "Declined",
        PaymentState::Refused => "The shop did not agree",
        PaymentState::Rejected => "The shop gave the money back",
    };
    let row = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<dt>{name}</dt><dd>{}</dd>\n", xml::escaped(value)),
    };
    let words = payment.shops_words.as_deref().unwrap_or_default();
    let rows = format!(
        "<dl>\n<dt>Amount</dt><dd>{price}</dd>\n{}{}{}</dl>\n",
        row("Order", &asked.order_id),
        row("For", &asked.description),
        row("The shop says", words)
    );
    let action = match (payment.state, back) {
        (PaymentState::New, _) => format!(
            "<form method=\"post\" action=\"{PAY_PATH}\">\n\
             <input type=\"hidden\" name=\"payment_id\" value=\"{}\">\n\
             <button name=\"choice\" value=\"pay\">Pay {price}</button>\n\
             <button class=\"second\" name=\"choice\" value=\"decline\">Decline</button>\n</form>",
            payment.payment_id
        ),
        (PaymentState::Checking, _) => "<p>This page looks again by itself.</p>".to_owned(),
        (_, Some((url, BackMethod::Get, fields))) => format!(
            "<a class=\"button\" href=\"{}\">Back to the shop</a>",
            xml::escaped(&urlencoded::appended(url, fields))
        ),
        (_, Some((url, BackMethod::Post, fields))) => {
            let hidden = fields.iter().map(|(name, value)| {
                let (name, value) = (xml::escaped(name), xml::escaped(value));
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
            });
            let hidden: String = hidden.collect();
            let url = xml::escaped(url);
            format!(
                "<form method=\"post\" action=\"{url}\">\n{hidden}<button>Back to the shop</button>\n\
                 </form>"
            )
        }
        (_, None) => "<p>You can close this page.</p>".to_owned(),
    };
    let mut page = Page::new(title, format!("{rows}{action}"));
    page.waits = payment.state == PaymentState::Checking;
    page.leads_to = back.and_then(|(url, ..)| page::origin(url));
    page.response(now)
}
