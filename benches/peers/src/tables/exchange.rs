//! Reading a token reply and building a token request, without I/O.
//!
//! Most peers do both behind private doors: what cannot be reached is said, not imitated.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use imts::{Contract, Credentials, Endpoint, Keep, Mono, Now, Policy, Reply, Session, Step, Wall};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, TokenUrl};
use serde::Deserialize;

use super::versioned;
use crate::measure::{Batch, interleaved, print_table};
use crate::service::REPLY;

const NOW: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

fn session() -> Session {
    let endpoint = Endpoint::https("https://service.example").expect("it is a URL");
    let mut session = Session::new(endpoint, Contract::imts(), Policy::default())
        .expect("the contract's paths make URLs");
    session.sign_in(Credentials::new("agent", "secret").expect("both are given"), Keep::Held, NOW);
    session
}

/// How many inputs are made at a time: few enough to stay in the cache.
const CHUNK: usize = 64;

/// Times `run` over inputs that are made beforehand, and outputs that are dropped afterwards.
fn over<I, O>(times: u32, make: impl Fn() -> I, run: impl Fn(&mut I) -> O) -> Duration {
    let mut outputs = Vec::with_capacity(CHUNK);
    let mut took = Duration::ZERO;
    for _ in 0..(times as usize).div_ceil(CHUNK) {
        let mut inputs: [I; CHUNK] = std::array::from_fn(|_| make());
        let begin = Instant::now();
        outputs.extend(inputs.iter_mut().map(|input| black_box(run(input))));
        took += begin.elapsed();
        outputs.clear();
    }
    took
}

fn print(rounds: usize, title: &str, how: &str, rows: Vec<([String; 3], Batch<'_>)>) {
    let (names, mut batches): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let samples = interleaved(rounds, &mut batches);
    let rows: Vec<_> = names
        .into_iter()
        .zip(samples)
        .map(|(names, ns)| [&names[..], &[ns.to_string()]].concat())
        .collect();
    print_table(title, how, &["crate", "input", "does", "ns"], &rows);
}

fn row(name: String, input: &str, does: &str) -> [String; 3] {
    [name, input.to_owned(), does.to_owned()]
}

/// A token reply that OAuth clients read: as large as the documented one's tokens make it.
fn oauth_reply() -> String {
    let (access, refresh) = ("a".repeat(344), "r".repeat(345));
    format!(
        r#"{{"access_token":"{access}","refresh_token":"{refresh}","token_type":"bearer","expires_in":900}}"#
    )
}

/// What reading the reply's text alone costs, dates left as they are.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read for the reading's sake")]
struct Borrowed<'a> {
    state: bool,
    response_time: &'a str,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read for the reading's sake")]
struct Payload<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    access_expire_at: &'a str,
    refresh_expire_at: &'a str,
}

/// From a reply's bytes to a token.
pub fn reply(rounds: usize) {
    let oauth = oauth_reply();
    let gcp = oauth.clone();
    let size = format!("OAuth reply, {} bytes, no dates", oauth.len());
    let documented = format!("documented reply, {} bytes", REPLY.len());
    let response = http::Response::builder()
        .header("content-type", "application/json")
        .body(REPLY)
        .expect("the headers are well formed");
    let waiting = || {
        let mut session = session();
        let Step::Send(ticket, _) = session.poll(NOW) else { panic!("a sign-in is due") };
        (session, ticket)
    };
    print(
        rounds,
        "Reading a token reply",
        "One thread, no runtime, bytes in memory. azure_identity, google-cloud-auth and yup-oauth2 read theirs behind private doors; aws-smithy and reqsign-core read none.",
        vec![
            (
                row(
                    versioned("imts"),
                    &documented,
                    "status, type, size, JSON, 3 dates, grant in use",
                ),
                Box::new(move |times| {
                    over(times, waiting, |(session, ticket)| {
                        let outcome = session.on_reply(*ticket, Reply::from(&response), NOW);
                        outcome.expect("it is a grant");
                    })
                }),
            ),
            (
                row(versioned("serde_json"), &documented, "borrowed, dates left as text: a limit"),
                Box::new(|times| {
                    let read = |bytes| serde_json::from_slice::<Borrowed<'_>>(bytes);
                    over(times, || REPLY, |bytes| read(bytes).expect("it is as published"))
                }),
            ),
            (
                row(versioned("oauth2"), &size, "JSON to BasicTokenResponse"),
                Box::new(move |times| {
                    let read = |bytes| serde_json::from_slice::<BasicTokenResponse>(bytes);
                    over(times, || oauth.as_bytes(), |bytes| read(bytes).expect("it is a token"))
                }),
            ),
            (
                row(versioned("gcp_auth"), &size, "JSON to Token, access token alone"),
                Box::new(move |times| {
                    let read = |bytes| serde_json::from_slice::<gcp_auth::Token>(bytes);
                    over(times, || gcp.as_bytes(), |bytes| read(bytes).expect("it is a token"))
                }),
            ),
        ],
    );
}

/// From credentials to a request.
pub fn request(rounds: usize) {
    let url = TokenUrl::new("https://service.example/token".to_owned()).expect("it is a URL");
    let client = BasicClient::new(ClientId::new("agent".to_owned()))
        .set_client_secret(ClientSecret::new("secret".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(url);
    print(
        rounds,
        "Building the sign-in request",
        "One thread, no runtime, nothing sent; what is built is dropped outside the time. The others build theirs behind private doors.",
        vec![
            (
                row(
                    versioned("imts"),
                    "agent id and secret",
                    "JSON body, wiped later; headers, URI",
                ),
                Box::new(|times| over(times, session, |session| session.poll(NOW))),
            ),
            (
                row(versioned("oauth2"), "client id and secret", "form body, headers, URI"),
                Box::new(move |times| {
                    // The HTTP client of the crate's flow: it takes the request and answers nothing.
                    let taken = RefCell::new(Vec::with_capacity(1));
                    let take = |request: HttpRequest| {
                        taken.borrow_mut().push(request);
                        Err::<HttpResponse, _>(std::fmt::Error)
                    };
                    over(
                        times,
                        || (),
                        |()| {
                            drop(black_box(client.exchange_client_credentials().request(&take)));
                            taken.borrow_mut().pop()
                        },
                    )
                }),
            ),
        ],
    );
}
