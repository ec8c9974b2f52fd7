//! Uses hyper's client on smol, without a tokio thread in the process.
//!
//! Run it with `cargo run -p imts --example on_smol --features hyper-util`.

use std::error::Error;
use std::sync::Arc;

use imts::tls::Tls;
use imts::{Builder, Credentials, Endpoint, HyperTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};
use smol::net::TcpStream;
use smol_hyper::rt::{FuturesIo, SmolExecutor, SmolTimer};

fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let executor = Arc::new(smol::Executor::new());
    let dial = |host: String, port: u16| async move {
        Ok(FuturesIo::new(TcpStream::connect((host, port)).await?))
    };
    let transport = HyperTransport::builder(Tls::platform()?)
        .runtime(SmolExecutor::new(Arc::clone(&executor)), SmolTimer::new(), dial)
        .build();
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .nonblocking(transport)?;

    let bearer = smol::block_on(executor.run(client.token()))?;
    println!("token {}; the service saw {} request", bearer.epoch().count(), service.log().len());
    let threads = threads();
    assert!(!threads.iter().any(|name| name.contains("tokio")), "{threads:?}");
    Ok(())
}

/// Returns the names of this process's threads, if the system reports them.
fn threads() -> Vec<String> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect()
}
