//! Drives a session with a closure: without a client or a transport, and with a variable as the
//! clock.
//!
//! Run it with `cargo run -p imts-core --example by_hand`.

#![expect(clippy::disallowed_macros, reason = "an example may print")]

use std::error::Error;
use std::time::Duration;

use imts_core::swap::{Register, StoreTime};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Credentials, Endpoint, Exchange, Keep, Now, Policy, Reply, Session, Step, services,
};
use imts_sandbox::{Sandbox, Settings, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let mut service = Sandbox::new(Settings::default());
    let mut exchange = |exchange: Exchange, now: Now| {
        let request = exchange.into_request().map(|body| body.as_ref().to_vec());
        service.handle(Time::from_micros(now.wall.unix_micros()), &request)
    };

    let mut now =
        Now { mono: Mono::default(), wall: Wall::from_unix_micros(1_767_225_600_000_000) };
    let endpoint = Endpoint::https("https://sandbox.example")?;
    let mut session = Session::new(endpoint, services::transfer(), Policy::default())?;
    session.sign_in(Credentials::new("sandbox-agent", "sandbox-secret")?, Keep::Always, now);

    for minute in 0..60 {
        loop {
            match session.poll(now) {
                Step::Ready(bearer) => {
                    let epoch = bearer.epoch().count();
                    println!("minute {minute}: token {epoch}, {}", session.phase(now));
                    break;
                }
                Step::Send(ticket, out) => {
                    println!("minute {minute}: {} goes out", ticket.purpose());
                    let response = exchange(out, now);
                    session.on_reply(ticket, Reply::from(&response), now)?;
                }
                other => return Err(format!("not expected here: {other:?}").into()),
            }
        }
        now = now.advanced_by(Duration::from_secs(60));
    }
    // Tokens live a quarter of an hour. Each one is renewed two minutes before its end.
    let Step::Ready(last) = session.poll(now) else { panic!("no token is due") };
    assert_eq!(last.epoch().count(), 5);
    assert_eq!(service.log().len(), 5);
    siblings(&mut service, now)
}

/// Two processes that share a store: here a variable. In production it is a file or a server, and
/// `moved` says whether that may have lost writes.
fn siblings(service: &mut Sandbox, mut now: Now) -> Result<(), Box<dyn Error>> {
    let mut store = Register::default();
    let mut sessions = Vec::new();
    for holder in [0x5eed, 0xcafe] {
        let endpoint = Endpoint::https("https://sandbox.example")?;
        let session = Session::new(endpoint, services::transfer(), Policy::default())?;
        // Each process draws a random number of its own.
        let mut session = session.with_shared_store(holder);
        session.sign_in(Credentials::new("sandbox-agent", "sandbox-secret")?, Keep::Always, now);
        sessions.push(session);
    }
    let mut tokens = Vec::new();
    for (number, session) in sessions.iter_mut().enumerate() {
        loop {
            match session.poll(now) {
                Step::Ready(bearer) => {
                    tokens.push(bearer.expose_token().to_owned());
                    break;
                }
                Step::Swap(ticket, swap) => {
                    let micros = i64::try_from(now.mono.as_micros())?;
                    let swapped = store.swap(&swap, StoreTime::from_micros(micros), false);
                    session.on_swap(ticket, Ok(swapped), now);
                }
                Step::Send(ticket, out) => {
                    println!("process {number}: {} goes out", ticket.purpose());
                    let request = out.into_request().map(|body| body.as_ref().to_vec());
                    let at = Time::from_micros(now.wall.unix_micros());
                    session.on_reply(ticket, Reply::from(&service.handle(at, &request)), now)?;
                }
                other => return Err(format!("not expected here: {other:?}").into()),
            }
            now = now.advanced_by(Duration::from_millis(1));
        }
    }
    // The second process has found what the first one put there.
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(service.log().len(), 6);
    Ok(())
}
