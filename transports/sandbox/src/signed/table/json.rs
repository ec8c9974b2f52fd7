//! The JSON operations, which have a detached JWS.

use super::super::row::Algorithm::{Hs256, Hs512};
use super::super::row::{Algorithm, Envelope, Id, Jws, Party, Repeat, Row, Scheme};
use crate::evidence::Evidence::{self, Assumed, Draft, Published};
use imts_core::Class::{self, Create, Money, Read};

/// Card API's older page names the one algorithm, its newer page the other.
const CARD: &[Algorithm] = &[Hs512, Hs256];
const REQUEST: Id = Id::Uuid("request_id");

const fn row(
    name: &'static str,
    path: &'static [&'static str],
    class: Class,
    (evidence, reply): (Evidence, Evidence),
    jws: Jws,
) -> Row {
    Row { name, also: &[], paths: path, class, evidence, reply, scheme: Scheme::Jws(jws) }
}

const fn partner(
    algorithms: &'static [Algorithm],
    envelope: Envelope,
    id: Id,
    repeat: Repeat,
) -> Jws {
    Jws { party: Party::Partner, algorithms, envelope, id, repeat }
}

/// A change with a `request_id`: a repeat is refused (published for Card API and E-Money).
const fn once(algorithms: &'static [Algorithm], envelope: Envelope) -> Jws {
    partner(algorithms, envelope, REQUEST, Repeat::Refused)
}

/// An operation without a rule for repeats.
const fn free(algorithms: &'static [Algorithm], envelope: Envelope, id: Id) -> Jws {
    partner(algorithms, envelope, id, Repeat::Applied)
}

/// An operation of Async: the reply to an `X-Request-Id` is sent again (published on read payment).
const ASYNC: Jws = Jws {
    party: Party::Merchant,
    algorithms: &[Hs256],
    envelope: Envelope::Headers,
    id: Id::Header,
    repeat: Repeat::Replayed,
};

const INVOICE: Jws = Jws {
    party: Party::Invoice,
    algorithms: &[Hs512],
    envelope: Envelope::Invoice,
    id: Id::Field("order_id"),
    repeat: Repeat::Applied,
};

pub(in crate::signed) static JSON: &[Row] = &[
    row(
        "card-api.create-client",
        &["/v5/card-api/client/add"],
        Create,
        (Published, Assumed),
        once(CARD, Envelope::Flat),
    ),
    row(
        "card-api.request-status",
        &["/v5/card-api/request/status"],
        Read,
        (Published, Published),
        free(CARD, Envelope::Flat, REQUEST),
    ),
    row(
        "card-api.unblock-card",
        &["/v5/card-api/card/unblock"],
        Create,
        (Published, Published),
        once(CARD, Envelope::Flat),
    ),
    row(
        "card-api.close-card",
        &["/v5/card-api/card/close"],
        Create,
        (Published, Published),
        once(CARD, Envelope::Flat),
    ),
    row(
        "card-api.card-info",
        &["/v5/card-api/card/info"],
        Read,
        (Published, Assumed),
        once(CARD, Envelope::Flat),
    ),
    row(
        "card-api.statement-extended",
        &["/v5/card-api/card/statement_extended"],
        Read,
        (Published, Published),
        free(CARD, Envelope::Flat, Id::Nowhere),
    ),
    row(
        "card-api.refund-transaction",
        &["/v5/card-api/transaction/refund"],
        Money,
        (Draft, Draft),
        once(CARD, Envelope::Flat),
    ),
    row(
        "gift-cards.confirm",
        &["/v5/cards/activate_card"],
        Create,
        (Published, Published),
        free(&[Hs256, Hs512], Envelope::Gift, Id::Field("otp")),
    ),
    row(
        "rates.add",
        &["/v5/partner/rates/add"],
        Create,
        (Published, Published),
        free(&[Hs256], Envelope::Plain, Id::Nowhere),
    ),
    row(
        "products.add-client",
        &["/v5/partner/client/add"],
        Create,
        (Published, Published),
        once(&[Hs256], Envelope::Flat),
    ),
    row(
        "products.add-product",
        &["/v5/partner/client/product/add"],
        Create,
        (Published, Assumed),
        once(&[Hs256], Envelope::Flat),
    ),
    row(
        "e-money.add",
        &["/v5/partner/wallet/add"],
        Create,
        (Published, Assumed),
        once(&[Hs256], Envelope::EMoney),
    ),
    row(
        "e-money.block",
        &["/v5/partner/wallet/block"],
        Create,
        (Published, Published),
        once(&[Hs256], Envelope::EMoney),
    ),
    row(
        "e-money.statement",
        &["/v5/partner/wallet/statement"],
        Read,
        (Published, Published),
        free(&[Hs256], Envelope::EMoney, Id::Nowhere),
    ),
    row(
        "merchant-invoice.init",
        &["/v5/merchant/invoice/init"],
        Money,
        (Published, Published),
        INVOICE,
    ),
    row(
        "partner-invoice.invoice",
        &["/v5/partner/invoices/info"],
        Read,
        (Published, Assumed),
        free(&[Hs256], Envelope::Plain, Id::Header),
    ),
    row(
        "settlement.payment-status",
        &["/api/v5/partner/settlement-partitions/{id}/status"],
        Read,
        (Published, Published),
        free(&[Hs256], Envelope::Settlement, Id::Nowhere),
    ),
    row(
        "settlement.batch-statuses",
        &["/v5/partner/settlement-partitions/{id}/batch-statuses"],
        Read,
        (Published, Published),
        free(&[Hs256], Envelope::Settlement, Id::Nowhere),
    ),
    row("gateway-async.create-payment", &["/v5/g2g/create"], Money, (Published, Assumed), ASYNC),
    row("gateway-async.read-payment", &["/v5/g2g/read"], Read, (Published, Published), ASYNC),
    row("gateway-async.reverse", &["/v5/g2g/edit"], Money, (Published, Assumed), ASYNC),
];
