//! Uses the client as the state of a web application: each request gets a valid token.
//!
//! Run it with `cargo run -p imts --example in_axum --features hyper-util`. It sends itself three
//! requests and ends.

use std::error::Error;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use imts::{AsyncClient, Builder, Credentials, Endpoint, HyperTransport, Recovery};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Does what a handler would do before it calls the service.
async fn handler(State(client): State<AsyncClient>) -> Result<String, StatusCode> {
    match client.token().await {
        Ok(bearer) => Ok(format!("calling with token {}", bearer.epoch().count())),
        Err(error) => Err(match error.recovery() {
            Recovery::Retry { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .nonblocking(HyperTransport::new()?)?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let application = Router::new().route("/", get(handler)).with_state(client);
    let server = tokio::spawn(async move { axum::serve(listener, application).await });

    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await?;
        let said = reply.lines().last().unwrap_or_default();
        println!("the application answered: {said}");
        assert_eq!(said, "calling with token 1");
    }
    println!("the service saw {} request", service.log().len());
    server.abort();
    Ok(())
}
