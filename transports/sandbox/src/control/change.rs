//! A change of the settings: what it may contain. It is applied whole or not at all.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::{Outcome, freedom_id, signed};
use crate::callbacks::CallbackRule;
use crate::fault::{Fault, Rule, When};
use crate::freedom_id::Action;
use crate::operation::{Class, Operation, class_from_name};
use crate::sandbox::Sandbox;
use crate::served::{Evidence, Scripted, Served};
use crate::service_file;
use crate::settings::{ErrorShape, NoToken, Outage, RetryAfter, Rotation};
use crate::time::Time;

/// The settings that a request may change. A missing field leaves its setting as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    access_lifetime_s: Option<u32>,
    refresh_lifetime_s: Option<u32>,
    rotation: Option<Rotation>,
    no_token: Option<NoToken>,
    refresh_endpoint: Option<bool>,
    refuse_refresh: Option<bool>,
    reject_access: Option<bool>,
    /// `null` ends an outage.
    #[serde(default, deserialize_with = "present")]
    outage: Option<Option<OutageChange>>,
    error_shape: Option<ErrorShape>,
    quote_secrets: Option<bool>,
    skew_s: Option<i32>,
    latency_ms: Option<u32>,
    #[serde(default)]
    operations: BTreeMap<String, Option<OperationChange>>,
    id_field: Option<String>,
    faults: Option<Vec<Rule>>,
    fault_seed: Option<u64>,
    freedom_id: Option<freedom_id::Change>,
    callback_faults: Option<Vec<CallbackRule>>,
    signed: Option<signed::Change>,
    /// Adds a partner with this key, or changes it. `null` removes the partner.
    #[serde(default)]
    partners: BTreeMap<String, Option<String>>,
    /// Adds a merchant with these keys, or changes them. `null` removes the merchant.
    #[serde(default)]
    merchants: BTreeMap<String, Option<signed::MerchantChange>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageChange {
    status: Option<u16>,
    retry_after_s: Option<u64>,
    for_s: Option<u32>,
}

/// A new path or script for an operation. `null` in place of this object removes the operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationChange {
    path: Option<String>,
    #[serde(default, deserialize_with = "class_from_name")]
    class: Option<Class>,
    evidence: Option<Evidence>,
    replies: Option<VecDeque<Scripted>>,
}

pub(super) fn apply(change: Change, sandbox: &mut Sandbox, now: Time) -> Outcome {
    let bad = |message: String| (StatusCode::BAD_REQUEST, message);
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    change.check().map_err(bad)?;
    let table = sandbox.settings().operations.clone();
    let table = operations(table, change.operations).map_err(bad)?;
    check_rules(change.faults.as_deref().unwrap_or_default(), &table).map_err(bad)?;
    let known = &sandbox.settings().freedom_id;
    let freedom_id =
        change.freedom_id.map(|change| change.apply(known)).transpose().map_err(bad)?;
    let known = &sandbox.settings().signed;
    let signed = change.signed.map(|change| change.apply(known)).transpose().map_err(bad)?;
    set(&mut sandbox.settings_mut().freedom_id, freedom_id);
    set(&mut sandbox.settings_mut().signed, signed);
    exchange(&mut sandbox.settings_mut().partners, change.partners);
    exchange(&mut sandbox.settings_mut().merchants, change.merchants);
    sandbox.settings_mut().operations = table;
    if let Some(faults) = change.faults {
        sandbox.set_faults(faults);
    }
    let settings = sandbox.settings_mut();
    set(&mut settings.id_field, change.id_field);
    if let Some(skew) = change.skew_s {
        settings.skew_micros = i64::from(skew).saturating_mul(1_000_000);
    }
    let server_now = now.shifted(settings.skew_micros);
    if let Some(outage) = change.outage {
        settings.outage = outage.map(|outage| Outage {
            until: outage.for_s.map(|length| server_now.after(seconds(length))),
            status: outage.status.unwrap_or(503),
            retry_after: outage.retry_after_s.map(RetryAfter::Seconds),
        });
    }
    set(&mut settings.access_lifetime, change.access_lifetime_s.map(seconds));
    set(&mut settings.refresh_lifetime, change.refresh_lifetime_s.map(seconds));
    set(&mut settings.latency, change.latency_ms.map(|ms| Duration::from_millis(ms.into())));
    set(&mut settings.fault_seed, change.fault_seed);
    set(&mut settings.callback_faults, change.callback_faults);
    set(&mut settings.rotation, change.rotation);
    set(&mut settings.no_token, change.no_token);
    set(&mut settings.refresh_endpoint, change.refresh_endpoint);
    set(&mut settings.refuse_refresh, change.refuse_refresh);
    set(&mut settings.reject_access, change.reject_access);
    set(&mut settings.error_shape, change.error_shape);
    set(&mut settings.quote_secrets, change.quote_secrets);
    Ok(json!({}))
}

impl Change {
    /// Checks the range of every number in the change.
    fn check(&self) -> Result<(), String> {
        let outage = self.outage.iter().flatten().filter_map(|outage| outage.status);
        let faults = self.faults.iter().flatten().filter_map(|rule| match rule.fault {
            Fault::Status { status, .. }
            | Fault::Html { status }
            | Fault::Redirect { status, .. }
            | Fault::Form { status: Some(status), .. } => Some(status),
            _ => None,
        });
        let replies =
            self.operations.values().flatten().filter_map(|change| change.replies.as_ref());
        let replies = replies.flatten().map(|reply| reply.status);
        if let Some(status) = outage.chain(faults).chain(replies).find(|s| !(100..=999).contains(s))
        {
            return Err(format!("{status} is not an HTTP status"));
        }
        let mut rules = self.faults.iter().flatten();
        match rules.any(|rule| matches!(rule.when, When::Percent(101..))) {
            true => Err("a percentage is at most 100".to_owned()),
            false => Ok(()),
        }
    }
}

/// Returns the table of operations after the changes.
fn operations(
    mut table: BTreeMap<Operation, Served>,
    changes: BTreeMap<String, Option<OperationChange>>,
) -> Result<BTreeMap<Operation, Served>, String> {
    for (name, change) in changes {
        let at = |message| format!("operations.{name}: {message}");
        let operation = service_file::operation(&name).map_err(at)?;
        let Some(change) = change else {
            table.remove(&operation);
            continue;
        };
        let served = served(operation, table.remove(&operation), change).map_err(at)?;
        table.insert(operation, served);
    }
    service_file::check_table(&table).map_err(|error| error.to_string())?;
    Ok(table)
}

/// Checks that every rule names an operation that is served. A rule with a misspelt name never
/// applies.
fn check_rules(rules: &[Rule], table: &BTreeMap<Operation, Served>) -> Result<(), String> {
    let is_there = |operation: &Operation| {
        matches!(operation, Operation::Echo | Operation::Other | Operation::Signed(_))
            || table.contains_key(operation)
            || Action::is_one(*operation)
    };
    match rules.iter().filter_map(|rule| rule.operation).find(|operation| !is_there(operation)) {
        Some(unknown) => Err(format!("faults: no operation {unknown} is served")),
        None => Ok(()),
    }
}

fn served(
    operation: Operation,
    known: Option<Served>,
    change: OperationChange,
) -> Result<Served, String> {
    let path = change.path.or_else(|| known.as_ref().map(|served| served.path.clone()));
    let path = path.ok_or("its path is unknown: give one")?;
    service_file::check_path(&path)?;
    let class = service_file::class(operation, change.class.or(known.as_ref().map(|k| k.class)))?;
    let evidence = change.evidence.or(known.as_ref().map(|k| k.evidence));
    let mut served = Served::new(path, class, evidence.unwrap_or(Evidence::Assumed));
    if let Some(known) = known {
        (served.decided, served.replies) = (known.decided, known.replies);
    }
    set(&mut served.replies, change.replies);
    Ok(served)
}

/// Adds, changes and removes entries.
fn exchange<T, U: Into<T>>(table: &mut BTreeMap<String, T>, changes: BTreeMap<String, Option<U>>) {
    for (id, value) in changes {
        match value {
            Some(value) => drop(table.insert(id, value.into())),
            None => drop(table.remove(&id)),
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Distinguishes `null` from a missing field.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
