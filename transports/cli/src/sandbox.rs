//! `imts sandbox`: the service on loopback, until interrupted.

use imts_sandbox::{DEFAULT_SECRET, Entry, Front, GET_TOKEN_PATH, Rotation, Sandbox, Settings};

use crate::args::{self, RotationName};
use crate::failure::Failure;
use crate::log::Log;
use crate::{interrupt, out};

pub(crate) fn run(args: &args::Sandbox, log: Log) -> Result<(), Failure> {
    let interrupts = interrupt::caught()?;
    let agent = &args.agent;
    if agent.is_empty() {
        return Err(Failure::usage("the agent's id is empty"));
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
    let front = Front::builder(Sandbox::new(settings))
        .port(args.port)
        .handler(move |sandbox, now, request| {
            let before = sandbox.log().len();
            let response = sandbox.handle(now, request);
            if let Some(entry) = sandbox.log().get(before) {
                tell(log, entry);
            }
            response
        })
        .start()
        .map_err(|error| Failure::usage(format!("cannot serve on port {}: {error}", args.port)))?;
    let url = front.url();
    let credentials =
        serde_json::json!({ "agent_id": agent, "agent_secret": DEFAULT_SECRET }).to_string();
    let (id, credentials) = (quoted(agent), quoted(&credentials));
    let outage = quoted(r#"{"outage":{"for_s":30,"retry_after_s":5}}"#);
    out::line(format_args!(
        "\
A sandbox of IMTS serves at {url} until interrupted (Ctrl-C).

  agent id  {agent}
  secret    {DEFAULT_SECRET}

Get a token by hand:

  curl -s {url}{GET_TOKEN_PATH} -H 'Content-Type: application/json' -d {credentials}

Or with this command:

  IMTS_AGENT_ID={id} IMTS_AGENT_SECRET={DEFAULT_SECRET} imts token --base-url {url} --plain-http

Keep a session alive: the same line, with `watch` for `token`. Meanwhile, an outage of 30 seconds:

    curl -s {url}/_sandbox/settings -d {outage}

What the service would refuse, this refuses; what is assumed of it, is labelled so."
    ))?;
    // The other end never hangs up: the handler that sends lives as long as the process.
    let _interrupted = interrupts.recv();
    Ok(())
}

/// Tells of a request to the service; of one to the control door, there is no entry.
fn tell(log: Log, entry: &Entry) {
    log.tell(1, || {
        let operation = serde_json::json!(entry.operation);
        let name = operation.as_str().unwrap_or("other").to_owned();
        format!("{name} -> {}: {}", entry.status, entry.verdict.as_str())
    });
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
