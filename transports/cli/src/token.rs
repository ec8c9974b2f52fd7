//! `imts token`: one sign-in, one request, no retry.

use chrono::SecondsFormat;
use imts::{Builder, Client, Policy, Recovery, UreqTransport, Wall};
use serde_json::{Value, json};

use crate::args::{Token, TransportName};
use crate::failure::{Failure, Kind, seconds};
use crate::log::Log;
use crate::settings;

pub(crate) fn run(args: &Token, log: Log) -> Result<(), Failure> {
    let endpoint = settings::endpoint(args.base_url.as_deref(), args.plain_http)?;
    let credentials = settings::credentials(args.agent_id.as_deref(), args.secret_file.as_deref())?;
    let mut policy = Policy::default();
    policy.time_limit = args.timeout;
    let builder =
        Builder::new(endpoint).credentials(credentials).policy(policy).patience(args.timeout);
    let client = match args.transport {
        TransportName::Ureq => builder.blocking(log.wrap(ureq()?)).map_err(Failure::endpoint)?,
    };
    let bearer = client.token().map_err(|error| Failure::from(&error))?;
    if args.json {
        println!("{}", report(&client, args.show.then(|| bearer.expose_token())));
    } else if args.show {
        println!("{}", bearer.expose_token());
    } else {
        let report = report(&client, None);
        let text = |field: &str| report[field].as_str().unwrap_or("none").to_owned();
        println!("signed in: the session is {}", text("phase"));
        println!(
            "  access token   lives {} s, until {}",
            report["lifetime_s"],
            text("access_expire_at")
        );
        println!("  refresh token  until {}", text("refresh_expire_at"));
        println!("  (--show prints the access token itself)");
    }
    Ok(())
}

/// The ready-made transport of the blocking client.
pub(crate) fn ureq() -> Result<UreqTransport, Failure> {
    UreqTransport::new().map_err(|error| Failure::new(Kind::Transport, Recovery::Fix, error))
}

/// What the session holds, by the server's own dates.
fn report(client: &Client, token: Option<&str>) -> Value {
    let mut report = client.phase(|phase| {
        let usable = phase.usable();
        json!({
            "phase": phase.as_str(),
            "access_expire_at": usable.map(|usable| date(usable.access_expire_at())),
            "refresh_expire_at": usable.and_then(imts::Usable::refresh_expire_at).map(date),
            "lifetime_s": usable.map(|usable| seconds(usable.lifetime())),
        })
    });
    if let Some(token) = token {
        report["access_token"] = token.into();
    }
    report
}

/// RFC 3339, in the form of the service's own replies.
fn date(wall: Wall) -> String {
    wall.to_datetime().map_or_else(
        || "beyond the calendar".to_owned(),
        |date| date.to_rfc3339_opts(SecondsFormat::AutoSi, false),
    )
}
