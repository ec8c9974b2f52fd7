//! Uses reqwest for both: for the client's own requests, and for a request of the program's own with
//! the client's token.
//!
//! Run it with `cargo run -p imts --example with_reqwest --features reqwest`.

use std::error::Error;
use std::time::Duration;

use imts::reqwest::Repeat;
use imts::{AsyncClient, Builder, Credentials, Endpoint, Policy, ReqwestTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, Front, Operation, Sandbox};
use reqwest::{Method, Request, StatusCode};

/// What the program sets for each of its HTTP clients.
fn http() -> Result<reqwest::ClientBuilder, Box<dyn Error>> {
    let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).no_proxy();
    // Not needed if your own features of reqwest bring TLS.
    #[cfg(feature = "reqwest-rustls")]
    let http = {
        let tls = imts::tls::Tls::platform()?.client_config();
        http.tls_backend_preconfigured(tls.as_ref().clone())
    };
    Ok(http)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let mut policy = Policy::default();
    policy.settle = Duration::ZERO; // this program has two tokens refused in a row
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .policy(policy)
        .nonblocking(ReqwestTransport::new(http()?)?)?;
    let http = http()?.build()?;
    let count = |operation| service.sandbox().count(operation);

    let url = format!("{}{ECHO_PATH}", service.url());
    assert_eq!(send(&client, &http, &url, Repeat::Never).await?, StatusCode::OK);
    assert_eq!((count(Operation::GetToken), count(Operation::Echo)), (1, 1));

    // The service ends the token early. A request that is not safe to repeat gets the 401.
    service.sandbox().revoke_access_tokens();
    assert_eq!(send(&client, &http, &url, Repeat::Never).await?, StatusCode::UNAUTHORIZED);
    assert_eq!(count(Operation::Echo), 2);
    // The token was rejected, so the next request has a new one.
    assert_eq!(send(&client, &http, &url, Repeat::Never).await?, StatusCode::OK);

    // A request that is safe to repeat is sent again with a new token.
    service.sandbox().revoke_access_tokens();
    assert_eq!(send(&client, &http, &url, Repeat::Safe).await?, StatusCode::OK);
    assert_eq!(count(Operation::Echo), 5);
    println!("5 requests of the program's own; the service saw {} in all", service.log().len());
    Ok(())
}

/// Sends a request of the program's own, and returns the status of the answer.
async fn send(
    client: &AsyncClient,
    http: &reqwest::Client,
    url: &str,
    repeat: Repeat,
) -> Result<StatusCode, Box<dyn Error>> {
    let mut request = Request::new(Method::POST, url.parse()?);
    request.headers_mut().insert("content-type", "application/json".parse()?);
    *request.body_mut() = Some(r#"{"question":17}"#.into());
    let response = client.send_with_token(http, request, repeat).await?;
    Ok(response.status())
}
