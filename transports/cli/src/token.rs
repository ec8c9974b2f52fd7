//! `imts token`: one sign-in, one request, no retry; with a store, often none.

use std::time::Duration;

use imts::{BearerGuard, Policy};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::args::{ServiceArgs, Token};
use crate::client::Client;
use crate::color::{self, Tone};
use crate::failure::Failure;
use crate::log::Log;
use crate::settings::{self, Connection};
use crate::store::{From, Shared};
use crate::values::{date, seconds};
use crate::{interrupt, out, service_file};

pub(crate) fn run(args: Token, log: Log) -> Result<(), Failure> {
    interrupt::ending("the token came", move |stop| {
        let words = words(&args, log)?;
        stop.take_over()?;
        out::line(&*words)?;
        Ok(())
    })
}

/// Signs in, and returns what to print.
fn words(args: &Token, log: Log) -> Result<Zeroizing<String>, Failure> {
    let SignedIn { bearer, mut report, store } = signed_in(&args.service, args.timeout, log)?;
    Ok(if args.header {
        header(&bearer)
    } else if args.json {
        if args.show {
            report["access_token"] = bearer.expose_token().into();
        }
        if let Some((store, from)) = store {
            report["store"] = store.object(from);
        }
        Zeroizing::new(report.to_string())
    } else if args.show {
        Zeroizing::new(bearer.expose_token().to_owned())
    } else {
        Zeroizing::new(text(&report, store.as_ref(), log))
    })
}

/// A token, what its session has, and the store that it is kept in.
pub(crate) struct SignedIn {
    pub(crate) bearer: BearerGuard,
    report: Value,
    store: Option<(Shared, From)>,
}

/// Signs in once, or takes the token of a store.
pub(crate) fn signed_in(
    service: &ServiceArgs,
    timeout: Duration,
    log: Log,
) -> Result<SignedIn, Failure> {
    let service_of = service_file::of(service.service_file.as_deref(), timeout)?;
    let Connection { builder, carrier, limit, store, .. } =
        settings::connection(service, service_of, timeout)?;
    let left = limit.left();
    let mut policy = Policy::default();
    policy.time_limit = left;
    let client = carrier.client(builder.policy(policy).patience(left), log)?;
    let bearer = client.token();
    let (report, from) = (report(&client), From::of(&client));
    if store.is_some() {
        Shared::hand_over(&client, limit.left());
    }
    let bearer = bearer.map_err(|error| Failure::from(&error))?;
    Ok(SignedIn { bearer, report, store: store.map(|store| (store, from)) })
}

/// Returns the header line of a token.
pub(crate) fn header(bearer: &BearerGuard) -> Zeroizing<String> {
    Zeroizing::new(format!("Authorization: Bearer {}", bearer.expose_token()))
}

/// Formats the report for people.
fn text(report: &Value, store: Option<&(Shared, From)>, log: Log) -> String {
    let field = |name: &str| report[name].as_str().unwrap_or("none").to_owned();
    let note = match log.is_quiet() {
        true => "",
        false => "\n  (--show prints the access token itself, and --header a header line for curl)",
    };
    let begin = match store {
        Some((_, From::Found)) => "found in the store",
        _ => "signed in",
    };
    let kept = store.map(|(store, from)| format!("\n  store          {}", store.words(*from)));
    let kept = kept.unwrap_or_default();
    format!(
        "{}: the session is {}\n  access token   lives {} s, until {}\n  refresh token  until {}{kept}{note}",
        color::out(Tone::Good, begin),
        field("phase"),
        report["lifetime_s"],
        field("access_expire_at"),
        field("refresh_expire_at")
    )
}

/// Reports what the session has, by the server's own dates.
fn report(client: &Client) -> Value {
    client.phase(|phase| {
        let usable = phase.usable();
        json!({
            "phase": phase.as_str(),
            "access_expire_at": usable.map(|usable| date(usable.access_expire_at())),
            "refresh_expire_at": usable.and_then(imts::session::Usable::refresh_expire_at).map(date),
            "lifetime_s": usable.map(|usable| seconds(usable.lifetime())),
        })
    })
}
