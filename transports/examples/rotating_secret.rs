//! Replaces an agent's secret while the program runs. The client reads it anew when the service
//! refuses the old one: from a file here, as Kubernetes mounts it, and then by a future, as a client
//! of Vault or of AWS Secrets Manager returns it.
//!
//! Run it with `cargo run -p imts --example rotating_secret --features ureq,hyper-util`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use imts::{Builder, Credentials, Endpoint, HyperTransport, UreqTransport, text};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Operation, Sandbox};

fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let folder = std::env::temp_dir().join(format!("imts-secret-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    on_threads(&service, &folder.join("secret"))?;
    tokio::runtime::Runtime::new()?.block_on(in_tasks(&service))?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn on_threads(service: &Front, mounted: &Path) -> Result<(), Box<dyn Error>> {
    fs::write(mounted, format!("{DEFAULT_SECRET}\n"))?;
    let file = mounted.to_owned();
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials_from(move || {
            let secret = fs::read(&file)?;
            Ok(Credentials::new(DEFAULT_AGENT, text::line(&secret)?)?)
        })
        .blocking(UreqTransport::new()?)?;
    let before = client.token()?.epoch();

    fs::write(mounted, "the second secret\n")?;
    replace(service, "the second secret");
    client.reject(before); // as after a 401
    let after = client.token_waiting()?.epoch();
    assert!(after > before);
    // The first sign-in, one that was refused, and one with the new secret.
    assert_eq!(service.sandbox().count(Operation::GetToken), 3);
    Ok(())
}

async fn in_tasks(service: &Front) -> Result<(), Box<dyn Error>> {
    let vault = Arc::new(Mutex::new("the second secret"));
    let reading = Arc::clone(&vault);
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials_from_async(move || {
            let vault = Arc::clone(&reading);
            // Vault: `vaultrs::kv2::read(..).await`. AWS: `get_secret_value().send().await`.
            async move {
                let secret = *vault.lock().unwrap();
                Ok(Credentials::new(DEFAULT_AGENT, secret)?)
            }
        })
        .nonblocking(HyperTransport::new()?)?;
    let before = client.token().await?.epoch();

    *vault.lock().unwrap() = "the third secret";
    replace(service, "the third secret");
    client.reject(before);
    assert!(client.token_waiting().await?.epoch() > before);
    // If the service knows another secret than the vault, the error says so, and the refused
    // secret is not sent again and again: accounts get locked.
    replace(service, "a secret that the vault does not know yet");
    client.reject(client.token().await?.epoch());
    let error = client.token_waiting().await.unwrap_err();
    assert_eq!(error.recovery(), imts::Recovery::SignIn);
    println!("{error}");
    Ok(())
}

/// From now on the service knows only this secret, and refuses the old refresh tokens.
fn replace(service: &Front, secret: &str) {
    let mut sandbox = service.sandbox();
    let settings = sandbox.settings_mut();
    settings.agents.insert(DEFAULT_AGENT.to_owned(), secret.to_owned());
    settings.refuse_refresh = true;
}
