//! Uses the client as the state of a web application: it is ready if the client is, and it maps the
//! outcome of a money call to a status.
//!
//! An unknown outcome is a 424. A 500, 502, 503 or 504 invites callers and proxies to send the
//! request again, and the money may have moved. Run it with
//! `cargo run -p imts --example in_axum --features hyper-util`. It sends itself requests and ends.

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use imts::call::NotCallable;
use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::services::transfer::Confirm;
use imts::{
    AsyncClient, Builder, Credentials, Endpoint, Evidence, HyperTransport, Outcome, services,
};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Fault, Front, Operation, Rule, Sandbox,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers a readiness probe from memory: it waits for nothing and sends nothing.
async fn ready(State(client): State<AsyncClient>) -> StatusCode {
    match client.health().is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Confirms a transfer, once at most.
async fn confirm(
    State(client): State<AsyncClient>,
    Path(id): Path<String>,
) -> (StatusCode, String) {
    let fields = serde_json::json!({ "client_uuid": id });
    let called = client.call(&Custom::<Confirm, _>::new(fields).with_reference(id)).await;
    match called {
        Ok(Outcome::Done(reply)) => (StatusCode::OK, reply.as_str().to_owned()),
        // The service said no: nothing was done.
        Ok(Outcome::Refused(refusal)) => (StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()),
        // It may have been done: ask the service before anything is sent again.
        Ok(Outcome::Unknown(unknown)) => (StatusCode::FAILED_DEPENDENCY, unknown.to_string()),
        // Nothing was sent: the caller may try again.
        Ok(Outcome::Failed(failed)) => (StatusCode::SERVICE_UNAVAILABLE, failed.why().to_string()),
        // The same transfer was sent before: it is done, in doubt or under way.
        Err(NotCallable::Intent(error)) if error.as_str() == "in_doubt" => {
            (StatusCode::FAILED_DEPENDENCY, error.to_string())
        }
        Err(NotCallable::Intent(error)) => (StatusCode::CONFLICT, error.to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = "/v5/partner/transfer/confirm-example"; // yours is on the vendor's page
    let file = format!("version = 1\n[operation.confirm]\npath = \"{path}\"");
    let service = Front::start(Sandbox::with_service_file(&file)?)?;

    let mut operations = services::transfer::catalogue();
    operations.set_path("confirm", ServicePath::new(path)?, Evidence::Assumed)?;
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .service(services::transfer().with_operations(operations))
        .nonblocking(HyperTransport::new()?)?; // in production, with a journal too

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = listener.local_addr()?;
    let application = Router::new()
        .route("/ready", get(ready))
        .route("/transfers/{id}/confirm", post(confirm))
        .with_state(client.clone());
    let server = tokio::spawn(async move { axum::serve(listener, application).await });

    assert_eq!(status(here, "GET /ready").await?, 503, "there is no token yet");
    assert_eq!(service.log().len(), 0, "the probe asked for none");
    client.warm_up().await?;
    assert_eq!(status(here, "GET /ready").await?, 200);

    assert_eq!(status(here, "POST /transfers/1/confirm").await?, 200);
    assert_eq!(status(here, "POST /transfers/1/confirm").await?, 409, "it is done");

    let breaks =
        |fault| service.sandbox().set_faults(vec![Rule::always(Operation::Confirm, fault)]);
    breaks(Fault::Status { status: 422, retry_after_s: None });
    assert_eq!(status(here, "POST /transfers/2/confirm").await?, 422);
    breaks(Fault::Delivery(Delivery::Closed));
    assert_eq!(status(here, "POST /transfers/3/confirm").await?, 424, "the reply is lost");
    service.sandbox().set_faults(Vec::new());
    assert_eq!(status(here, "POST /transfers/3/confirm").await?, 424, "it is not sent again");
    for id in ["1", "3"] {
        assert_eq!(service.sandbox().ledger().applied(Operation::Confirm, id), 1);
    }

    drop(service);
    assert_eq!(status(here, "POST /transfers/4/confirm").await?, 503, "nothing was sent");
    println!("ready, done, refused, unknown and not sent: each has its status");
    server.abort();
    Ok(())
}

/// Sends a request to the application, and returns the status of its answer.
async fn status(here: SocketAddr, line: &str) -> Result<u16, Box<dyn Error>> {
    let mut stream = TcpStream::connect(here).await?;
    let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).ok_or("no status")?.parse()?)
}
