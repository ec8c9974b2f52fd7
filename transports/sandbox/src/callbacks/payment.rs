//! A payment that a payer can make in the sandbox, and where the shop wants to hear of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use crate::merchant::DEFAULT_MERCHANT;
use crate::page;
use crate::target::Target;

/// What a shop asks for when it creates a payment. The names are those of the form fields, without
/// `pg_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NewPayment {
    /// The merchant's id. Default [`DEFAULT_MERCHANT`].
    #[serde(default = "default_merchant")]
    pub merchant_id: String,
    /// The shop's number of the order: 1 to 50 characters.
    pub order_id: String,
    /// The amount, in the currency's main unit: 0.01 to 99,999,999 with at most two decimals.
    pub amount: String,
    /// The currency. Default `KZT`.
    #[serde(default = "default_currency")]
    pub currency: String,
    /// What the payer reads.
    #[serde(default)]
    pub description: String,
    /// Where the shop is asked before money is taken. Without it, the shop is taken to agree.
    #[serde(default)]
    pub check_url: Option<String>,
    /// Where the shop hears what became of the payment.
    #[serde(default)]
    pub result_url: Option<String>,
    /// Where the payer's browser goes after a success.
    #[serde(default)]
    pub success_url: Option<String>,
    /// Where the payer's browser goes after a failure.
    #[serde(default)]
    pub failure_url: Option<String>,
    /// How check and result are sent. Default `GET` (assumed, if the field is missing).
    #[serde(default)]
    pub request_method: RequestMethod,
    /// How the browser goes to the success URL. Default `GET`.
    #[serde(default)]
    pub success_url_method: BackMethod,
    /// How the browser goes to the failure URL. Default `GET`.
    #[serde(default)]
    pub failure_url_method: BackMethod,
    /// The shop's own parameters. They come back in each message.
    #[serde(default)]
    pub own: BTreeMap<String, String>,
    /// Whether the shop may still reject the result. Default true.
    #[serde(default = "yes")]
    pub can_reject: bool,
}

impl NewPayment {
    /// Creates a payment of the default merchant.
    #[must_use]
    pub fn new(order_id: impl Into<String>, amount: impl Into<String>) -> Self {
        Self {
            merchant_id: default_merchant(),
            order_id: order_id.into(),
            amount: amount.into(),
            currency: default_currency(),
            description: String::new(),
            check_url: None,
            result_url: None,
            success_url: None,
            failure_url: None,
            request_method: RequestMethod::default(),
            success_url_method: BackMethod::default(),
            failure_url_method: BackMethod::default(),
            own: BTreeMap::new(),
            can_reject: true,
        }
    }

    /// Checks what the page prints about the fields, and that each URL can be sent to.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=50).contains(&self.order_id.chars().count()) {
            return Err("order_id must have 1 to 50 characters".to_owned());
        }
        Amount::new(&self.amount).ok_or("amount must be 0.01 to 99999999, with two decimals")?;
        for (name, url) in [("check_url", &self.check_url), ("result_url", &self.result_url)] {
            if let Some(url) = url {
                Target::scripted(url).map_err(|error| format!("{name}: {error}"))?;
            }
        }
        for (name, url) in [("success_url", &self.success_url), ("failure_url", &self.failure_url)]
        {
            let is_fit = |url: &String| page::origin(url).is_some() && Target::has_script(url);
            if !url.as_ref().is_none_or(is_fit) {
                return Err(format!("{name} must be an http or https URL with a last segment"));
            }
        }
        match self.own.keys().find(|name| name.starts_with("pg_")) {
            Some(name) => Err(format!("own: {name} is not the shop's own parameter")),
            None => Ok(()),
        }
    }
}

/// How check and result are sent: `pg_request_method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum RequestMethod {
    /// The fields are in the query.
    #[default]
    Get,
    /// The fields are in a form.
    Post,
    /// The fields are in XML, in the one form field `pg_xml`.
    Xml,
}

/// How the payer's browser comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum BackMethod {
    /// The fields are in the query.
    #[default]
    Get,
    /// The fields are in a form.
    Post,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentState {
    /// The payer has not decided.
    New,
    /// The shop is being asked.
    Checking,
    /// The shop did not agree, or did not answer in time: no money was taken.
    Refused,
    /// The payer declined: no money was taken.
    Failed,
    /// The money was taken.
    Paid,
    /// The shop rejected the result in time: the money was given back.
    Rejected,
}

/// A payment in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Payment {
    /// The number that the sandbox gave it.
    pub payment_id: u64,
    /// Where it stands.
    pub state: PaymentState,
    /// What the shop asked for.
    #[serde(flatten)]
    pub asked: NewPayment,
    /// What the shop answered to the check or to the result, for the payer to read.
    pub shops_words: Option<String>,
}

/// What a shop hears about a payout.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NewPayout {
    /// The merchant's id. Default [`DEFAULT_MERCHANT`].
    #[serde(default = "default_merchant")]
    pub merchant_id: String,
    /// The shop's number of the order.
    pub order_id: String,
    /// The amount.
    pub amount: String,
    /// Where the shop hears of it.
    pub post_link: String,
    /// Whether the payout succeeded: `pg_status`, `ok` or `error`. Default true.
    #[serde(default = "yes")]
    pub is_ok: bool,
}

impl NewPayout {
    /// Creates a payout of the default merchant that succeeded.
    #[must_use]
    pub fn new(
        order_id: impl Into<String>,
        amount: impl Into<String>,
        post_link: impl Into<String>,
    ) -> Self {
        Self {
            merchant_id: default_merchant(),
            order_id: order_id.into(),
            amount: amount.into(),
            post_link: post_link.into(),
            is_ok: true,
        }
    }

    /// Checks the amount, and that the URL can be sent to.
    pub(crate) fn check(&self) -> Result<(), String> {
        Amount::new(&self.amount).ok_or("amount must be 0.01 to 99999999")?;
        Target::scripted(&self.post_link).map_err(|error| format!("post_link: {error}"))?;
        Ok(())
    }
}

fn default_merchant() -> String {
    DEFAULT_MERCHANT.to_owned()
}

fn default_currency() -> String {
    "KZT".to_owned()
}

fn yes() -> bool {
    true
}
