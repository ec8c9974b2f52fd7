//! Reading a token reply and building a token request, without I/O.
//!
//! Most peers do both in private functions. The table says so, and nothing is imitated.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use chrono::DateTime;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use imts::time::{Mono, Wall};
use imts::{Credentials, Endpoint, Keep, Now, Policy, Reply, Session, Step, services};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, TokenUrl};
use serde::{Deserialize, Serialize};

use super::versioned;
use crate::measure::{Batch, Measure, interleaved, nanoseconds, print_table};
use crate::service::REPLY;

const NOW: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

fn session() -> Session {
    let endpoint = Endpoint::https("https://service.example").expect("it is a URL");
    let mut session = Session::new(endpoint, services::transfer(), Policy::default())
        .expect("the service's paths make URLs");
    session.sign_in(
        Credentials::new("agent", "secret").expect("both are given"),
        Keep::Always,
        NOW,
    );
    session
}

/// How many inputs are made at a time: few enough to stay in the cache.
const CHUNK: usize = 64;

/// Measures `run` over inputs that are made beforehand, and outputs that are dropped afterwards.
fn over<I, O>(
    times: u32,
    measure: Measure<'_>,
    make: impl Fn() -> I,
    run: impl Fn(&mut I) -> O,
) -> f64 {
    let mut outputs = Vec::with_capacity(CHUNK);
    let mut all = 0.0;
    for _ in 0..(times as usize).div_ceil(CHUNK) {
        let mut inputs: [I; CHUNK] = std::array::from_fn(|_| make());
        all += measure(&mut || {
            outputs.extend(inputs.iter_mut().map(|input| black_box(run(input))));
        });
        outputs.clear();
    }
    all
}

/// A row: its names, and what measures it so many times, all together.
type Row = ([String; 3], Box<dyn Fn(u32, Measure<'_>) -> f64>);

fn print(rounds: usize, title: &str, how: &str, rows: Vec<Row>) {
    let (names, works): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let mut batches: Vec<Batch<'_>> = works
        .into_iter()
        .map(|work| -> Batch<'_> {
            Box::new(move |times| Duration::from_nanos(work(times, &nanoseconds) as u64))
        })
        .collect();
    let samples = interleaved(rounds, &mut batches);
    let rows: Vec<_> = names
        .into_iter()
        .zip(samples)
        .map(|(names, ns)| [&names[..], &[ns.to_string()]].concat())
        .collect();
    print_table(title, how, &HEAD, &rows);
}

const HEAD: [&str; 4] = ["crate", "input", "does", "ns"];

/// What each reading and each building allocates, by what counts it.
#[must_use]
pub fn exchange_allocations(count: Measure<'_>) -> Vec<Vec<String>> {
    const TIMES: u32 = CHUNK as u32;
    let rows = reply_rows().into_iter().chain(request_rows());
    rows.map(|(names, work)| {
        work(TIMES, count); // what is made once is made
        [&names[..], &[(work(TIMES, count) / f64::from(TIMES)).to_string()]].concat()
    })
    .collect()
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
    print(
        rounds,
        "Reading a token reply",
        "One thread, no runtime, bytes in memory. azure_identity, google-cloud-auth and yup-oauth2 read theirs in private functions. aws-smithy and reqsign-core read none.",
        reply_rows(),
    );
}

fn reply_rows() -> Vec<Row> {
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
    vec![
        (
            row(versioned("imts"), &documented, "status, type, size, JSON, 3 dates, grant in use"),
            Box::new(move |times, measure| {
                over(times, measure, waiting, |(session, ticket)| {
                    let outcome = session.on_reply(*ticket, Reply::from(&response), NOW);
                    outcome.expect("it is a grant");
                })
            }),
        ),
        (
            row(
                versioned("serde_json"),
                &documented,
                "limit, no client: borrowed, dates left as text",
            ),
            Box::new(|times, measure| over(times, measure, || REPLY, |bytes| borrowed(bytes))),
        ),
        (
            row(
                versioned("serde_json"),
                &documented,
                "limit, no client: borrowed, 3 dates by chrono",
            ),
            Box::new(|times, measure| {
                over(
                    times,
                    measure,
                    || REPLY,
                    |bytes| {
                        let reply = borrowed(bytes);
                        let Payload { access_expire_at, refresh_expire_at, .. } = &reply.payload;
                        let dates = [reply.response_time, access_expire_at, refresh_expire_at];
                        let dates = dates.map(DateTime::parse_from_rfc3339);
                        (reply, dates)
                    },
                )
            }),
        ),
        (
            row(versioned("oauth2"), &size, "JSON to BasicTokenResponse"),
            Box::new(move |times, measure| {
                let read = |bytes| serde_json::from_slice::<BasicTokenResponse>(bytes);
                over(
                    times,
                    measure,
                    || oauth.as_bytes(),
                    |bytes| read(bytes).expect("it is a token"),
                )
            }),
        ),
        (
            row(versioned("gcp_auth"), &size, "JSON to Token, access token alone"),
            Box::new(move |times, measure| {
                let read = |bytes| serde_json::from_slice::<gcp_auth::Token>(bytes);
                over(times, measure, || gcp.as_bytes(), |bytes| read(bytes).expect("it is a token"))
            }),
        ),
    ]
}

fn borrowed<'a>(bytes: &&'a [u8]) -> Borrowed<'a> {
    serde_json::from_slice(bytes).expect("it is as published")
}

/// From credentials to a request.
pub fn request(rounds: usize) {
    print(
        rounds,
        "Building the sign-in request",
        "One thread, no runtime, nothing sent. The request is dropped outside the time. The others build theirs in private functions.",
        request_rows(),
    );
}

/// The body of the sign-in request.
#[derive(Serialize)]
struct SignIn<'a> {
    agent_id: &'a str,
    agent_secret: &'a str,
}

fn request_rows() -> Vec<Row> {
    let url = TokenUrl::new("https://service.example/token".to_owned()).expect("it is a URL");
    let client = BasicClient::new(ClientId::new("agent".to_owned()))
        .set_client_secret(ClientSecret::new("secret".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(url);
    let uri = Uri::from_static("https://service.example/v5/partner/transfer/agent/auth");
    vec![
        (
            row(versioned("imts"), "agent id and secret", "JSON body, wiped later; headers, URI"),
            Box::new(|times, measure| over(times, measure, session, |session| session.poll(NOW))),
        ),
        (
            row(
                versioned("serde_json"),
                "agent id and secret",
                "limit, no client: to_vec of borrowed text; headers, URI parsed before",
            ),
            Box::new(move |times, measure| {
                const JSON: HeaderValue = HeaderValue::from_static("application/json");
                let input = || black_box(SignIn { agent_id: "agent", agent_secret: "secret" });
                over(times, measure, input, |input| {
                    let mut request =
                        http::Request::new(serde_json::to_vec(input).expect("text is JSON"));
                    *request.method_mut() = Method::POST;
                    *request.uri_mut() = uri.clone();
                    request.headers_mut().insert(ACCEPT, JSON);
                    request.headers_mut().insert(CONTENT_TYPE, JSON);
                    request
                })
            }),
        ),
        (
            row(versioned("oauth2"), "client id and secret", "form body, headers, URI"),
            Box::new(move |times, measure| {
                // The HTTP client of the crate's flow: it takes the request and answers nothing.
                let taken = RefCell::new(Vec::with_capacity(1));
                let take = |request: HttpRequest| {
                    taken.borrow_mut().push(request);
                    Err::<HttpResponse, _>(std::fmt::Error)
                };
                over(
                    times,
                    measure,
                    || (),
                    |()| {
                        drop(black_box(client.exchange_client_credentials().request(&take)));
                        taken.borrow_mut().pop()
                    },
                )
            }),
        ),
    ]
}
