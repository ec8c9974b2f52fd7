//! Many tasks on tokio share one client: each gets a token, and there is one sign-in for all.
//!
//! Run it with `cargo run -p imts --example on_tokio --features hyper-util`.

use std::error::Error;

use imts::{Builder, Credentials, Endpoint, HyperTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        // A renewal continues in the background, even if no one asks.
        .spawner(|renewal| drop(tokio::spawn(renewal)))
        .nonblocking(HyperTransport::new()?)?;

    let asks: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.token().await.map(|bearer| bearer.epoch().count()) })
        })
        .collect();
    for ask in asks {
        assert_eq!(ask.await??, 1);
    }
    println!("100 tasks asked; the service saw {} request", service.log().len());
    Ok(())
}
