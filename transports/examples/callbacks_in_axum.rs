//! Receives the gateway's callbacks in a web application, and answers each repeat with the first
//! answer.
//!
//! The merchant's code decides once for each payment. Its answers are kept in files, so a restart
//! changes nothing. Run it with
//! `cargo run -p imts --example callbacks_in_axum --features callback-tower`. It plays the gateway
//! itself, checks what it gets, and ends.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use imts::callback::{
    Alarm, AsyncCallbacks, AsyncHandler, CallbackService, Decision, Delivery, Expected,
    FileAnswers, OnThreads, PaymentResult, Receiver, Undecided, Verdict,
};
use imts::sign::pg_sig::{
    AcceptingKey, Account, OwnUrl, OwnUrls, PgFields, PgSigner, Salt, Script,
};
use imts::transport::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A shop with one order: 23, of 500 KZT.
#[derive(Default)]
struct Shop {
    delivered: Arc<AtomicUsize>,
}

impl AsyncHandler for Shop {
    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move {
            // In your code: read the order, and deliver it in one transaction with the payment's id.
            let expected = Expected::new("23", "500.00", "KZT").map_err(Undecided::new)?;
            Ok(match result.verdict(&expected) {
                Verdict::Paid(paid) if !paid.is_test() => {
                    self.delivered.fetch_add(1, Ordering::Relaxed);
                    result.ok("Order paid")
                }
                Verdict::Paid(_) | Verdict::NotPaid(_) => result.ok("Noted"),
                Verdict::Mismatch(_) => result.refuse(delivery, "The order is not known"),
                // Ask the service for the status here, and decide by its reply.
                Verdict::AskStatus(doubt) => return Err(Undecided::new(doubt)),
            })
        })
    }

    fn alarm(&self, alarm: &Alarm) {
        eprintln!("{alarm}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("imts-callbacks-{}", std::process::id()));
    let signer =
        || Ok::<_, Box<dyn Error>>(PgSigner::new().with_accepting(AcceptingKey::new("key")?));
    let urls = OwnUrls::new([
        (OwnUrl::Result, "https://shop.example/pay/result"),
        (OwnUrl::Success, "https://shop.example/pay/success"),
    ])?;
    let receiver = Receiver::new(signer()?, urls)?;
    let shop = Shop::default();
    let delivered = Arc::clone(&shop.delivered);
    let answers = OnThreads::new(FileAnswers::open(&folder)?);
    let service = CallbackService::new(AsyncCallbacks::new(receiver, shop, answers));

    let application = Router::new().route_service("/pay/{name}", service);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, application).await });

    // The gateway's side.
    let result = |amount: &str, salt: &str| {
        let fields = PgFields::new()
            .with("pg_order_id", "23")
            .with("pg_payment_id", "7")
            .with("pg_amount", amount)
            .with("pg_currency", "KZT")
            .with("pg_result", "1");
        let (script, salt) = (Script::of("/pay/result")?, Salt::new(salt)?);
        let signed = signer()?.sign(Account::Accepting, &script, fields, &salt)?;
        Ok::<_, Box<dyn Error>>(String::from_utf8(signed.to_form().as_ref().to_vec())?)
    };
    let first = send(here, "POST /pay/result", &result("500", "one")?).await?;
    let again = send(here, "POST /pay/result", &result("500", "two")?).await?;
    assert_eq!(first.0, 200);
    assert_eq!(first, again, "a repeat gets the first answer, byte for byte");
    assert!(first.1.contains("<pg_status>ok</pg_status>"));
    assert_eq!(delivered.load(Ordering::Relaxed), 1);

    let forged = result("500", "three")?.replace("pg_amount=500", "pg_amount=5");
    assert_eq!(send(here, "POST /pay/result", &forged).await?.0, 403);
    assert_eq!(send(here, "GET /pay/success?pg_order_id=23", "").await?.0, 200, "a page");
    assert_eq!(send(here, "POST /pay/other", "").await?.0, 404);
    assert_eq!(delivered.load(Ordering::Relaxed), 1, "nothing else was delivered");

    // The answer is XML with a signature.
    let read = PgFields::from_xml(first.1.as_bytes())?;
    signer()?.verify(Account::Accepting, &Script::of("/pay/result")?, read)?;
    println!("paid once, answered twice with the same bytes");
    server.abort();
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Sends a request to the application, and returns the status and the body of its answer.
async fn send(here: SocketAddr, line: &str, body: &str) -> Result<(u16, String), Box<dyn Error>> {
    let mut stream = TcpStream::connect(here).await?;
    let head = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok((head.split(' ').nth(1).ok_or("no status")?.parse()?, body.to_owned()))
}
