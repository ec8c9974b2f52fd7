//! `imts sandbox`: the service on loopback, until interrupted.

use std::thread;

use imts_sandbox::{DEFAULT_SECRET, Front, GET_TOKEN_PATH, Rotation, Sandbox, Settings};

use crate::args::{self, RotationName};
use crate::failure::Failure;

pub(crate) fn run(args: &args::Sandbox) -> Result<(), Failure> {
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
    };
    let front = Front::builder(Sandbox::new(settings))
        .port(args.port)
        .start()
        .map_err(|error| Failure::usage(format!("cannot serve on port {}: {error}", args.port)))?;
    let url = front.url();
    let credentials =
        serde_json::json!({ "agent_id": agent, "agent_secret": DEFAULT_SECRET }).to_string();
    println!("A sandbox of IMTS serves at {url} until interrupted (Ctrl-C).");
    println!();
    println!("  agent id  {agent}");
    println!("  secret    {DEFAULT_SECRET}");
    println!();
    println!("Get a token by hand:");
    println!();
    println!(
        "  curl -s {url}{GET_TOKEN_PATH} -H 'Content-Type: application/json' -d {}",
        quoted(&credentials)
    );
    println!();
    println!("Or with this command:");
    println!();
    println!(
        "  IMTS_AGENT_ID={} IMTS_AGENT_SECRET={DEFAULT_SECRET} imts token --base-url {url} --plain-http",
        quoted(agent)
    );
    println!();
    println!("What the service would refuse, this refuses; what is assumed of it, is labelled so.");
    loop {
        thread::park();
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
