//! Plain threads without a runtime: each has a clone of the client, and gets a token before each
//! request.
//!
//! Run it with `cargo run -p imts --example on_threads --features ureq`.

use std::error::Error;
use std::thread;
use std::time::Duration;

use imts::{Builder, Credentials, Endpoint, TokenError, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};

fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .blocking(UreqTransport::new()?)?;

    thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || -> Result<(), TokenError> {
                    for _ in 0..10_000 {
                        client.token()?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    println!("80,000 asks; the service saw {} request", service.log().len());
    assert!(client.close(Duration::from_secs(1)).is_some(), "what a later process goes on from");
    Ok(())
}
