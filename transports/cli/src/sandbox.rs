//! `imts sandbox`: runs the service on a socket, until interrupted.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use imts::operation::Auth;
use imts::{Catalogue, Class, Endpoint, Service, services};
use imts_sandbox::{
    DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET,
    DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET, DEFAULT_PAYOUT_SECRET, DEFAULT_SECRET, Entry, Finding,
    Front, GET_TOKEN_PATH, Operation, Rotation, Sandbox, Settings,
};

use crate::args::{self, RotationName};
use crate::failure::Failure;
use crate::interrupt::{self, Stop};
use crate::log::Log;
use crate::{out, service_file};

/// A request that Fees answers, by its draft.
const FEES: &str = r#"{"originator_type":"person","target_country":"UZB","amount_source":15.4,"currency_source":"KZT","currency_target":"UZS"}"#;
/// A request that any other operation of the sandbox answers.
const TRANSFER: &str = r#"{"client_uuid":"6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c"}"#;

pub(crate) fn run(args: args::Sandbox, log: Log) -> Result<(), Failure> {
    interrupt::ending("the sandbox served", move |stop| serve(&args, log, stop))
}

fn serve(args: &args::Sandbox, log: Log, stop: &Stop) -> Result<(), Failure> {
    let agent = &args.agent;
    if agent.is_empty() {
        return Err(Failure::usage("--agent is empty: give an id"));
    }
    let mut settings = Settings::default();
    settings.agents = [(agent.clone(), DEFAULT_SECRET.to_owned())].into();
    settings.access_lifetime = args.lifetime;
    settings.refresh_lifetime = args.refresh_lifetime;
    settings.rotation = match args.rotation {
        RotationName::Never => Rotation::Never,
        RotationName::Always => Rotation::Always,
        RotationName::ReuseRevokesFamily => Rotation::ReuseRevokesFamily,
        RotationName::Grace => Rotation::GraceSeconds(60),
    };
    let served = match &args.service_file {
        Some(file) => extended(file, &mut settings)?,
        None => services::transfer(),
    };
    let sign_in = settings.operations.get(&Operation::GetToken);
    let sign_in = sign_in.map_or(GET_TOKEN_PATH, |served| &served.path).to_owned();
    let mut warned = 0;
    let front = Front::builder(Sandbox::new(settings))
        .host(args.host)
        .port(args.port)
        .handler(move |sandbox, now, request| {
            let before = sandbox.log().len();
            let response = sandbox.handle(now, request);
            warn(log, sandbox.findings(), &mut warned);
            if let Some(entry) = sandbox.log().get(before) {
                tell(log, entry);
            }
            response
        })
        .start()
        .map_err(|error| {
            let address = SocketAddr::new(args.host, args.port);
            let failure = Failure::usage(format!("cannot listen on {address}: {error}"));
            match error.kind() {
                ErrorKind::AddrInUse => failure.advising(
                    "Another program has this port: give another --port, or 0 for a free one.",
                ),
                ErrorKind::AddrNotAvailable => failure.advising(
                    "--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
                ),
                _ => failure,
            }
        })?;
    stop.take_over()?;
    let elsewhere = elsewhere(&front);
    let url = front.url();
    if log.is_quiet() {
        out::line(&url)?;
        return wait(stop);
    }
    let plain = match Endpoint::plain_loopback(&url) {
        Ok(_) => "--plain-http".to_owned(),
        Err(_) => format!("--plain-http-host {}", quoted(url_host(&url))),
    };
    let credentials =
        serde_json::json!({ "agent_id": agent, "agent_secret": DEFAULT_SECRET }).to_string();
    let (id, credentials) = (quoted(agent), quoted(&credentials));
    let (name, request) = to_try(served.operations());
    let file = args.service_file.as_deref().map(Path::to_string_lossy);
    let file = file.map_or(String::new(), |file| format!(" --service-file {}", quoted(&file)));
    let request = quoted(request);
    let link =
        serde_json::json!({ "redirect_uri": format!("{url}/account"), "grants": ["read.email"] });
    let link = quoted(&link.to_string());
    let payment = quoted(
        r#"{"order_id":"1","amount":"20.00","result_url":"http://127.0.0.1:8080/result","request_method":"POST"}"#,
    );
    let outage = quoted(r#"{"outage":{"for_s":30,"retry_after_s":5}}"#);
    out::line(format_args!(
        "\
A sandbox of IMTS serves at {url} until interrupted (Ctrl-C).

  agent id  {agent}
  secret    {DEFAULT_SECRET}

Get a token with curl:

  curl -s {url}{sign_in} -H 'Content-Type: application/json' -d {credentials}

Or with this command:

  IMTS_AGENT_ID={id} IMTS_AGENT_SECRET={DEFAULT_SECRET} imts token --base-url {url} {plain}{file}

Call an operation:

  IMTS_AGENT_ID={id} IMTS_AGENT_SECRET={DEFAULT_SECRET} imts call {name} -d {request} --base-url {url} {plain}{file}

To keep a session alive, use the line with `token` and write `watch` instead of `token`. Meanwhile, cause
an outage of 30 seconds:

    curl -s {url}/_sandbox/settings -d {outage}

Get a link to sign a user in with Freedom ID, and open it in a browser:

  curl -s {url}/api/v1/oauth/authorize -u {DEFAULT_CLIENT}:{DEFAULT_CLIENT_SECRET} -H 'Content-Type: application/json' -d {link}

Make a payment, open its page in a browser, and hear of it at your own URL:

  curl -s {url}/_sandbox/payments -d {payment}

The keys of the other services:

  Freedom ID  client {DEFAULT_CLIENT}, secret {DEFAULT_CLIENT_SECRET}
  form APIs   merchant {DEFAULT_MERCHANT}, secret {DEFAULT_MERCHANT_SECRET}; for payouts, {DEFAULT_PAYOUT_SECRET}
  JWS APIs    partner {DEFAULT_PARTNER}, secret {DEFAULT_PARTNER_SECRET}

The sandbox refuses what a strict service refuses. The header X-Sandbox-Evidence of each reply says whether
that reply is published or assumed.{elsewhere}"
    ))?;
    wait(stop)
}

/// Waits for a signal. It ends the sandbox as it should.
fn wait(stop: &Stop) -> Result<(), Failure> {
    while stop.wait(Duration::MAX).is_ok() {}
    Ok(())
}

/// Returns the host of a front's URL.
fn url_host(url: &str) -> &str {
    let authority = url.trim_start_matches("http://");
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// Warns that others reach the sandbox, if they do. Returns the hint how.
fn elsewhere(front: &Front) -> String {
    let address = front.address();
    if address.ip().is_loopback() {
        return String::new();
    }
    out::note(format_args!(
        "warning: anyone who reaches {address} can use and control this sandbox. It has no security: its \
         secret is public, and it speaks plain http. Give it no real data."
    ));
    let port = address.port();
    format!(
        "\n\nFrom another container, with NAME as this one's name there, write in place of \
         --base-url and --plain-http:\n\n  --base-url http://NAME:{port} --plain-http-host NAME"
    )
}

/// Adds a service file's operations. Returns the file's service.
fn extended(file: &Path, settings: &mut Settings) -> Result<Service, Failure> {
    let (text, service) = service_file::read(file)?;
    settings.add_service_file(&text).map_err(|error| {
        Failure::usage(format!("--service-file {} cannot be served: {error}", file.display()))
    })?;
    Ok(service)
}

/// Returns a served operation and a request that it takes: one that moves money, if there is one.
fn to_try(operations: &Catalogue) -> (&str, &'static str) {
    let mut served: Vec<_> = operations
        .iter()
        .filter(|entry| entry.auth() == Auth::Bearer && entry.path().is_some())
        .collect();
    served.sort_by_key(|entry| (entry.name() == "fees", entry.class() != Class::Money));
    match served.first().map(|entry| entry.name()) {
        None | Some("fees") => ("fees", FEES),
        Some(name) => (name, TRANSFER),
    }
}

/// Logs a request to the service. Requests to the control interface have no entry.
fn tell(log: Log, entry: &Entry) {
    log.tell(1, || {
        let operation = serde_json::json!(entry.operation);
        let name = operation.as_str().unwrap_or("other").to_owned();
        format!("{name} -> {}: {}", entry.status, entry.verdict.as_str())
    });
}

/// Prints each finding once, as soon as a request follows it. `warned` counts those that were printed.
fn warn(log: Log, findings: &[Finding], warned: &mut usize) {
    // A reset forgets them.
    if findings.len() < *warned {
        *warned = 0;
    }
    for finding in findings.get(*warned..).unwrap_or_default() {
        *warned += 1;
        if log.is_quiet() {
            continue;
        }
        out::note(format_args!("warning: {}", finding.mistake.as_str()));
    }
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
