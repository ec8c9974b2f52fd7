//! Sessions and clients in the states that are measured.
//!
//! Owns their making, by the public API with the default policy. Knows nothing of how they are
//! measured.

use std::future::{Future, pending, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use imts::{
    AsyncClient, Body, Bounds, Builder, Client, Contract, Credentials, Endpoint, Failure, Keep,
    Mono, Now, Policy, Reply, Session, Step, Ticket, Wall,
};

/// The documented reply to Get token, byte for byte: 958 bytes, an access token of 344.
pub const REPLY: &[u8] = include_bytes!("../../core/tests/fixtures/get-token.reply.json");

/// When the documented reply was made.
pub const NOW: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

/// When its access token has ended, and its refresh token has not.
#[must_use]
pub fn expired() -> Now {
    NOW.advanced_by(Duration::from_secs(900))
}

/// The documented reply as it comes in.
#[must_use]
pub fn reply() -> Response<Vec<u8>> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(REPLY.to_vec()).expect("the headers are well formed")
}

/// A session that is about to sign in.
#[must_use]
pub fn session() -> Session {
    let mut session = Session::new(endpoint(), Contract::imts(), Policy::default())
        .expect("the contract's paths make URLs");
    session.sign_in(credentials(), Keep::Held, NOW);
    session
}

/// A session that waits for the reply to its sign-in.
pub fn waiting() -> (Session, Ticket) {
    let mut session = session();
    let Step::Send(ticket, _) = session.poll(NOW) else { panic!("a sign-in is due") };
    (session, ticket)
}

/// A session with a token that is valid at [`NOW`] and [`expired`] later.
#[must_use]
pub fn signed_in() -> Session {
    let (mut session, ticket) = waiting();
    session.on_reply(ticket, Reply::from(&reply()), NOW).expect("the documented reply is a grant");
    session
}

/// A client for threads that holds a valid token.
#[must_use]
pub fn client() -> Client {
    let client = Builder::new(endpoint())
        .credentials(credentials())
        .blocking(|_: Request<Body>, _: Bounds| Ok(reply()))
        .expect("the parts make a client");
    client.token().expect("the transport grants");
    client
}

/// A client for tasks that holds a valid token.
#[must_use]
pub fn async_client() -> AsyncClient {
    let send = |_: Request<Body>, _: Bounds| ready(Ok::<_, Failure>(reply()));
    let client = Builder::new(endpoint())
        .credentials(credentials())
        .nonblocking((send, |_: Duration| pending()))
        .expect("the parts make a client");
    at_once(client.token()).expect("the transport grants");
    client
}

/// The output of a future that waits for nothing.
///
/// # Panics
///
/// Where it does wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a valid token is waited for"),
    }
}

fn endpoint() -> Endpoint {
    Endpoint::https("https://service.example").expect("the URL is well formed")
}

fn credentials() -> Credentials {
    Credentials::new("agent", "secret").expect("both are given")
}
