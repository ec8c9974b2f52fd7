//! Adds the client's token to the requests of a tower service; here that service is hyper-util's
//! client.
//!
//! Run it with `cargo run -p imts --example with_tower --features hyper-util,tower`.

use std::error::Error;
use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use imts::tower::{BearerLayer, Repeatable};
use imts::{Builder, Credentials, Endpoint, HyperTransport, Policy};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, Front, Operation, Sandbox};
use tower::{Service, ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let service = Front::start(Sandbox::default())?;
    let mut policy = Policy::default();
    policy.settle = Duration::ZERO; // this program has two tokens refused in a row
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .policy(policy)
        .nonblocking(HyperTransport::new()?)?;
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut http = ServiceBuilder::new()
        .concurrency_limit(8)
        .layer(BearerLayer::new(client))
        .concurrency_limit(1) // a repetition waits for its turn too
        .service(http);

    let request = || {
        let body = Full::from(r#"{"question":17}"#);
        let request = Request::post(format!("{}{ECHO_PATH}", service.url()));
        request.header("content-type", "application/json").body(body)
    };
    let response = http.ready().await?.call(request()?).await?;
    assert_eq!(response.status(), StatusCode::OK);

    // The service ends the token early. A request that is not marked gets the 401.
    service.sandbox().revoke_access_tokens();
    let response = http.ready().await?.call(request()?).await?;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let response = http.ready().await?.call(request()?).await?;
    assert_eq!(response.status(), StatusCode::OK, "the next request has a new token");

    // A request that is marked is sent again with a new token.
    service.sandbox().revoke_access_tokens();
    let mut marked = request()?;
    Repeatable::mark(&mut marked); // it only reads
    let response = http.ready().await?.call(marked).await?;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(service.sandbox().count(Operation::Echo), 5);
    println!("4 requests, one of them twice; the service saw {} in all", service.log().len());
    Ok(())
}
