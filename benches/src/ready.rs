//! Sessions and clients in the states that are measured.
//!
//! Owns their making, by the public API with the default policy. Knows nothing of how they are
//! measured.

use std::future::{Future, pending, ready};
use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use imts::operation::Json;
use imts::secret::Body;
use imts::services::transfer::{Fees, Originator};
use imts::swap::Swap;
use imts::time::{Mono, Wall};
use imts::transport::{Bounds, BoxFuture};
use imts::{
    AsyncClient, AsyncTransport, Builder, Call, CallStep, Client, Credentials, Endpoint, Exchange,
    Keep, MemoryStore, Now, Outcome, Policy, Reply, Session, Step, Store, Ticket, Transport,
    TransportError, services,
};
use imts_core::Bearer;

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
    let mut session = Session::new(endpoint(), services::transfer(), Policy::default())
        .expect("the service's paths make URLs");
    session.sign_in(credentials(), Keep::Always, NOW);
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

/// A small operation whose request is typed.
///
/// # Panics
///
/// Never: the values have the form of their fields.
#[must_use]
pub fn fees() -> Fees {
    Fees {
        originator_type: Originator::Person,
        target_country: "UZB".parse().expect("a country's form"),
        amount_source: "15.4".parse().expect("an amount's form"),
        currency_source: "KZT".parse().expect("a currency's form"),
        currency_target: "UZS".parse().expect("a currency's form"),
        pg_sig: None,
    }
}

/// The token of a session that is signed in.
///
/// # Panics
///
/// Where the session has none.
#[must_use]
pub fn bearer(session: &Session) -> Bearer {
    let usable = session.phase(NOW).usable().expect("the session is signed in");
    usable.bearer().clone()
}

/// From an operation to the request of its call.
///
/// # Panics
///
/// Never, with the session's own token.
pub fn called(session: &Session, fees: &Fees, bearer: Bearer) -> (Call<Json>, Exchange) {
    let deadline = NOW.mono.after(Duration::from_secs(60));
    let mut call = session.call(fees, deadline).expect("the draft prints its path");
    call.on_bearer(bearer);
    let CallStep::Send(exchange) = call.poll(NOW) else { panic!("it has its token") };
    (call, exchange)
}

/// A reply to a call, of the assumed form.
#[must_use]
pub fn call_reply() -> Response<Vec<u8>> {
    let body = br#"{"state":true,"response_time":"2025-07-23T11:17:31.577745Z","payload":{"fee":1.25,"currency":"KZT","total":16.65}}"#;
    let response = Response::builder().header("content-type", "application/json");
    response.body(body.to_vec()).expect("the headers are well formed")
}

/// From a call's reply to its outcome.
///
/// # Panics
///
/// If the reply is not a success.
pub fn outcome(call: &mut Call<Json>, reply: &Response<Vec<u8>>) -> Json {
    call.on_reply(Reply::from(reply), NOW);
    match call.poll(NOW) {
        CallStep::Over(Outcome::Done(json)) => json,
        other => panic!("{other:?}"),
    }
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
    let send = |_: Request<Body>, _: Bounds| ready(Ok::<_, TransportError>(reply()));
    let client = Builder::new(endpoint())
        .credentials(credentials())
        .nonblocking((send, |_: Duration| pending()))
        .expect("the parts make a client");
    at_once(client.token()).expect("the transport grants");
    client
}

/// A client for threads that shares a store, and that has handed its valid token over.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn sharing_client() -> Client {
    let client = Builder::new(endpoint())
        .credentials(credentials())
        .store(MemoryStore::new())
        .blocking(|_: Request<Body>, _: Bounds| Ok(reply()))
        .expect("the parts make a client");
    client.token().expect("the transport grants");
    while client.store_counts().done < 2 {
        thread::yield_now();
    }
    client.token().expect("the grant is in use");
    client
}

/// A client for tasks that shares a store, and that has handed its valid token over.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn sharing_async_client() -> AsyncClient {
    let send = |_: Request<Body>, _: Bounds| ready(Ok::<_, TransportError>(reply()));
    let store = MemoryStore::new();
    let client = Builder::new(endpoint())
        .credentials(credentials())
        .async_store(move |swap: &Swap| ready(store.swap(swap)))
        .nonblocking((send, |_: Duration| pending()))
        .expect("the parts make a client");
    at_once(client.token()).expect("the transport grants");
    assert_eq!(client.store_counts().done, 2, "a claim and a hand-over");
    client
}

/// What the service answers to a request, at once.
fn answer(request: &Request<Body>) -> Response<Vec<u8>> {
    if request.uri().path().contains("/agent/") { reply() } else { call_reply() }
}

/// A client for threads that holds a valid token, and whose calls are answered.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn answered() -> Client {
    let client = client_of(endpoint(), |request: Request<Body>, _: Bounds| Ok(answer(&request)));
    client.token().expect("the transport grants");
    client
}

/// A client for tasks that holds a valid token, and whose calls are answered.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn answered_async() -> AsyncClient {
    let send = |request: Request<Body>, _: Bounds| ready(Ok::<_, TransportError>(answer(&request)));
    let client = async_client_of(endpoint(), (send, |_: Duration| pending()));
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

/// What a client with a valid token is doing meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Calm,
    /// Its token is being renewed, for as long as the client lives.
    Flight,
    /// A renewal has failed, and the next one is an hour away.
    BackOff,
}

/// Answers the first request with a grant, and the later ones as a state demands.
fn answers(state: State) -> impl Fn() -> Option<Result<Response<Vec<u8>>, TransportError>> {
    let is_first = AtomicBool::new(true);
    move || match state {
        _ if is_first.swap(false, Ordering::Relaxed) => Some(Ok(reply())),
        State::Calm => Some(Ok(reply())),
        State::Flight => None,
        State::BackOff => Some(Err(TransportError::unknown())),
    }
}

fn patient() -> Builder {
    let (mut policy, hour) = (Policy::default(), Duration::from_secs(3_600));
    (policy.backoff_first, policy.backoff_cap, policy.time_limit) = (hour, hour, hour);
    Builder::new(endpoint()).credentials(credentials()).policy(policy)
}

/// A client for threads that holds a valid token, in this state.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn client_in(state: State) -> Client {
    let answer = answers(state);
    let client = patient()
        .blocking(move |_: Request<Body>, _: Bounds| {
            answer().unwrap_or_else(|| {
                loop {
                    thread::park();
                }
            })
        })
        .expect("the parts make a client");
    client.token().expect("the transport grants");
    if state != State::Calm {
        // Credentials for one sign-in are used at once, and the old token serves meanwhile.
        client.sign_in(credentials(), Keep::Once);
        client.token().expect("the old token serves");
    }
    if state == State::BackOff {
        // The flight's thread has told its outcome once nothing is under way.
        while !format!("{client:?}").contains("flight: None") {
            thread::yield_now();
        }
    }
    client
}

/// A client for tasks that holds a valid token, in this state, and whose renewals are spawned.
///
/// # Panics
///
/// Where it gets no token.
#[must_use]
pub fn spawning_client(state: State) -> AsyncClient {
    let answer = answers(state);
    let send = move |_: Request<Body>, _: Bounds| {
        let answer = answer();
        async move {
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        }
    };
    // The spawned task is kept and not polled: the asker has polled the flight as far as it goes.
    let client = patient()
        .spawner(mem::forget)
        .nonblocking((send, |_: Duration| pending()))
        .expect("the parts make a client");
    at_once(client.token()).expect("the transport grants");
    if state != State::Calm {
        client.sign_in(credentials(), Keep::Once);
        at_once(client.token()).expect("the old token serves");
    }
    at_once(client.token()).expect("the old token serves");
    client
}

/// A client for threads that has asked for nothing.
///
/// # Panics
///
/// Never: its parts make a client.
#[must_use]
pub fn cold(transport: impl Transport + 'static) -> Client {
    let builder = Builder::new(endpoint()).credentials(credentials());
    builder.blocking(transport).expect("the parts make a client")
}

/// A client for tasks that has asked for nothing.
///
/// # Panics
///
/// Never: its parts make a client.
#[must_use]
pub fn cold_for_tasks(
    transport: impl AsyncTransport + 'static,
    spawner: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static,
) -> AsyncClient {
    let builder = Builder::new(endpoint()).credentials(credentials()).spawner(spawner);
    builder.nonblocking(transport).expect("the parts make a client")
}

/// A client for threads of this service, with operations that can be called.
///
/// # Panics
///
/// Never: its parts make a client.
#[must_use]
pub fn client_of(endpoint: Endpoint, transport: impl Transport + 'static) -> Client {
    let builder = Builder::new(endpoint).credentials(credentials());
    builder.blocking(transport).expect("the parts make a client")
}

/// A client for tasks of this service.
///
/// # Panics
///
/// Never: its parts make a client.
#[must_use]
pub fn async_client_of(
    endpoint: Endpoint,
    transport: impl AsyncTransport + 'static,
) -> AsyncClient {
    let builder = Builder::new(endpoint).credentials(credentials());
    builder.nonblocking(transport).expect("the parts make a client")
}

/// The bytes that a call of [`fees`] sends.
#[must_use]
pub fn fees_body() -> Vec<u8> {
    let session = signed_in();
    let (_, exchange) = called(&session, &fees(), bearer(&session));
    exchange.into_request().into_body().as_ref().to_vec()
}

pub(crate) fn endpoint() -> Endpoint {
    Endpoint::https("https://service.example").expect("the URL is well formed")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("agent", "secret").expect("both are given")
}
