//! A message with `pg_sig`, and the known mistakes that explain a mismatch.
//!
//! The recipe joins the values and leaves the names out. So each mistake is another message for the
//! same verifier: with fewer fields, with other values, or with names that sort otherwise.

use imts::sign::pg_sig::{Account, PgFields, PgSigner, PgValue, PgVerifyError, Script};
use serde_json::{Value, json};

use super::{Mismatch, Verified};
use crate::args::VerifyPgSig;
use crate::failure::Failure;
use crate::sign::{Given, account, key, pg_signer, script};

/// A known mistake: what it does to the fields, and how it is named.
type Mistake = (&'static str, fn(&[Pair]) -> Vec<Pair>);
/// A field of the message and its value.
type Pair = (String, PgValue);

pub(super) fn verified(args: &VerifyPgSig) -> Result<Verified, Failure> {
    let given = Given::of(&args.data);
    let account = account(args.message.account);
    let signer = pg_signer(account, &key(&args.message.key, &[&given])?)?;
    let script = script(&args.message.url.0)?;
    let fields = fields(&given.bytes("the message")?)?;
    let names: Vec<String> = signed(&fields).map(|(name, _)| name.to_owned()).collect();
    let error = match signer.verify(account, &script, fields.clone()) {
        Ok(message) => return Ok(fits(&script, &names, message.has_separator())),
        Err(error) => error,
    };
    let used = used(&script, &fields);
    let (explained_by, tried) = match error {
        PgVerifyError::Signature | PgVerifyError::Malformed => {
            explained(&signer, account, &args.message.url.0, &script, &fields)
        }
        _ => (Vec::new(), 0),
    };
    let failure = Mismatch { used, explained_by, tried }.into_failure(error);
    Err(failure
        .with_detail("script", script.name().map_or(Value::Null, Value::from))
        .with_detail("fields", names))
}

/// Reads a message in any of its forms.
fn fields(message: &[u8]) -> Result<PgFields, Failure> {
    let message = message.trim_ascii();
    let message = message.strip_prefix(b"?").unwrap_or(message);
    let read = match message.first() {
        None => return Err(Failure::usage("the message is empty: give it with -d")),
        Some(b'<') => PgFields::from_xml(message),
        Some(b'{') => PgFields::from_json(message),
        Some(_) => PgFields::from_form(message),
    };
    let fields = read.map_err(|error| Failure::usage(format!("{error}: give it as it came")))?;
    // A form may have the XML in one of its fields.
    let mut all = fields.iter_unverified();
    match (all.next(), all.next()) {
        (Some(("pg_xml", xml)), None) => {
            let xml = xml.as_text().unwrap_or_default();
            PgFields::from_xml(xml.as_bytes())
                .map_err(|error| Failure::usage(format!("{error}: give it as it came")))
        }
        _ => {
            drop(all);
            Ok(fields)
        }
    }
}

fn fits(script: &Script, names: &[String], has_separator: bool) -> Verified {
    let mut text = format!(
        "the signature fits: {}, {} fields: {}",
        scripted(script),
        names.len(),
        joined(names.iter().map(|name| name.escape_debug().to_string()))
    );
    if has_separator {
        text += "\n  A value has a `;`. The signature does not bind values to names, so this can be \
                 another message that was split anew: ask for the status before you act on it.";
    }
    let json = json!({
        "verified": true,
        "script": script.name(),
        "fields": names,
        "has_separator": has_separator,
    });
    Verified { text, json }
}

/// What was verified, without a value.
fn used(script: &Script, fields: &PgFields) -> Vec<String> {
    let mut all: Vec<_> = signed(fields).collect();
    all.sort_by_key(|(name, _)| *name);
    let fields = all.iter().map(|(name, value)| {
        let name = name.escape_debug();
        match value.as_text().map(|text| text.chars().count()) {
            Some(0) => format!("{name} (empty)"),
            Some(length) => format!("{name} ({length})"),
            None => format!("{name} ({} inside)", value.inner().len()),
        }
    });
    vec![
        format!("Verified with the {}, the last part of --url.", scripted(script)),
        format!("Fields by name, each with the number of its characters: {}.", joined(fields)),
    ]
}

fn scripted(script: &Script) -> String {
    script.name().map_or_else(|| "no script".to_owned(), |name| format!("script `{name}`"))
}

fn joined(all: impl IntoIterator<Item = String>) -> String {
    let all: Vec<_> = all.into_iter().collect();
    let more = all.len().saturating_sub(MOST_NAMES);
    let shown = all.into_iter().take(MOST_NAMES).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn signed(fields: &PgFields) -> impl Iterator<Item = (&str, &PgValue)> {
    fields.iter_unverified().filter(|(name, _)| *name != SIG)
}

/// The known mistakes that explain the mismatch, and how many were tried. Two are tried together:
/// one of the script, and one of the fields.
fn explained(
    signer: &PgSigner,
    account: Account,
    url: &str,
    own: &Script,
    fields: &PgFields,
) -> (Vec<String>, usize) {
    let pairs: Vec<Pair> = signed(fields).map(|(name, it)| (name.to_owned(), it.clone())).collect();
    let sig =
        fields.iter_unverified().find(|(name, _)| *name == SIG).and_then(|(_, it)| it.as_text());
    let sig = sig.unwrap_or_default().trim().to_lowercase();
    let sig = sig.get(..32).unwrap_or(&sig);
    let scripts = scripts(url, own);
    let verifies = |script: &Script, pairs: &[Pair]| {
        let message = pairs.iter().fold(PgFields::new().with(SIG, sig), |all, (name, value)| {
            all.with(name.as_str(), value.clone())
        });
        signer.verify(account, script, message).is_ok()
    };
    let mut explained = Vec::new();
    if verifies(own, &pairs) {
        explained.push("if pg_sig is written as exactly 32 lower-case hex digits".to_owned());
        return (explained, 1);
    }
    for (by, script) in &scripts {
        if verifies(script, &pairs) {
            explained.push(by.clone());
        }
    }
    for (by, change) in MISTAKES {
        let changed = change(&pairs);
        if verifies(own, &changed) {
            explained.push(by.to_owned());
        }
        for (of_script, script) in &scripts {
            if explained.is_empty() && verifies(script, &changed) {
                explained.push(format!("{of_script}, and {by}"));
            }
        }
    }
    (explained, 1 + scripts.len() + MISTAKES.len())
}

/// The scripts that others would have taken.
fn scripts(url: &str, own: &Script) -> Vec<(String, Script)> {
    let after_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_host.find('/').and_then(|at| after_host.get(at..)).unwrap_or_default();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, it)| (path, Some(it)));
    let last = own.name().unwrap_or_default();
    let stem = last.split_once('.').map(|(stem, _)| stem.to_owned());
    let mut all: Vec<(String, Script)> = Vec::new();
    let names = [
        Some(("the whole path", path.to_owned())),
        Some(("the path without its first slash", path.trim_start_matches('/').to_owned())),
        query.map(|query| ("the last part with the query", format!("{last}?{query}"))),
        stem.map(|stem| ("the name without .php", stem)),
        Some(("the name with .php", format!("{last}.php"))),
        Some(("the name that many hard-code", "result".to_owned())),
        Some(("the name of the vendor's page", "init_payment.php".to_owned())),
        Some(("the name of the vendor's page", "payment.php".to_owned())),
        Some(("an empty name, as for a URL that ends with /", String::new())),
        Some(("the whole URL", url.to_owned())),
    ];
    for (what, name) in names.into_iter().flatten() {
        let is_known = |(_, other): &(String, Script)| other.name() == Some(&name);
        if Some(name.as_str()) != own.name() && !all.iter().any(is_known) {
            let shown = name.escape_debug();
            let by = format!("with the script `{shown}`: {what}");
            all.push((by, Script::exactly(name)));
        }
    }
    all.push(("without a script".to_owned(), Script::absent()));
    all
}

/// The mistakes of the fields. Each is known from public code.
const MISTAKES: [Mistake; 11] = [
    ("if the empty fields are left out", |pairs| kept(pairs, |_, text| text != Some(""))),
    ("if only the fields whose names begin with pg_ are signed", |pairs| {
        kept(pairs, |name, _| name.starts_with("pg_"))
    }),
    ("if the fields that are not documented are left out", |pairs| {
        kept(pairs, |name, _| DOCUMENTED.contains(&name))
    }),
    ("if the fields pg_need_…_notification are left out", |pairs| {
        kept(pairs, |name, _| !(name.starts_with("pg_need_") && name.ends_with("_notification")))
    }),
    ("if pg_salt is left out", |pairs| kept(pairs, |name, _| name != "pg_salt")),
    ("if the values are sorted, not the names", |pairs| {
        let mut values: Vec<_> = pairs.iter().map(|(_, value)| value.clone()).collect();
        values.sort_by_key(|value| value.as_text().map(str::to_owned));
        in_this_order(values)
    }),
    ("if the fields are in the order in which they came", |pairs| {
        in_this_order(pairs.iter().map(|(_, value)| value.clone()).collect())
    }),
    ("if spaces around the values are left out", |pairs| {
        changed(pairs, |text| text.trim().to_owned())
    }),
    ("if .00 is left out of the amounts", |pairs| {
        changed(pairs, |text| text.strip_suffix(".00").unwrap_or(text).to_owned())
    }),
    ("if the values are decoded once more (%20, +)", |pairs| changed(pairs, decoded)),
    ("if of a field that came twice only the last is signed", |pairs| {
        let is_last =
            |at: usize, name: &str| !pairs.iter().skip(at + 1).any(|(other, _)| other == name);
        let all = pairs.iter().enumerate();
        all.filter(|(at, (name, _))| is_last(*at, name)).map(|(_, pair)| pair.clone()).collect()
    }),
];

fn kept(pairs: &[Pair], keep: impl Fn(&str, Option<&str>) -> bool) -> Vec<Pair> {
    pairs.iter().filter(|(name, value)| keep(name, value.as_text())).cloned().collect()
}

fn changed(pairs: &[Pair], change: impl Fn(&str) -> String) -> Vec<Pair> {
    let change = |value: &PgValue| match value.as_text() {
        Some(text) => change(text).into(),
        None => value.clone(),
    };
    pairs.iter().map(|(name, value)| (name.clone(), change(value))).collect()
}

/// The values under names that sort in the order that the values have.
fn in_this_order(values: Vec<PgValue>) -> Vec<Pair> {
    values.into_iter().enumerate().map(|(at, value)| (format!("f{at:05}_"), value)).collect()
}

/// A value of a form, decoded again.
fn decoded(text: &str) -> String {
    match PgFields::from_form(format!("value={text}").as_bytes()) {
        Ok(fields) => {
            let value = fields.iter_unverified().find_map(|(_, value)| value.as_text());
            value.unwrap_or(text).to_owned()
        }
        Err(_) => text.to_owned(),
    }
}

/// The fields of a result that its page lists.
const DOCUMENTED: [&str; 26] = [
    "pg_amount",
    "pg_can_reject",
    "pg_captured",
    "pg_card_brand",
    "pg_card_exp",
    "pg_card_id",
    "pg_card_owner",
    "pg_card_pan",
    "pg_card_token",
    "pg_currency",
    "pg_description",
    "pg_discount_amount",
    "pg_discount_percent",
    "pg_net_amount",
    "pg_order_id",
    "pg_payment_date",
    "pg_payment_id",
    "pg_payment_method",
    "pg_ps_amount",
    "pg_ps_currency",
    "pg_ps_full_amount",
    "pg_result",
    "pg_salt",
    "pg_testing_mode",
    "pg_user_contact_email",
    "pg_user_phone",
];

const SIG: &str = "pg_sig";
/// How many names a message lists.
const MOST_NAMES: usize = 64;
