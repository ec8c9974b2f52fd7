//! The requests of a renewal, without I/O.

use std::hint::black_box;
use std::time::{Duration, Instant};

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use imts::Session;
use imts_benches::ready::{self, NOW};
use serde::Serialize;

use super::table::{Goal, Table};

#[derive(Serialize)]
struct SignIn<'a> {
    agent_id: &'a str,
    agent_secret: &'a str,
}

/// A sign-in beside serde_json, a URI that was parsed before and static headers; a refresh beside a
/// sign-in.
pub(crate) fn json(table: &mut Table) {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let uri = Uri::from_static("https://service.example/v5/partner/transfer/agent/auth");
    let expired = ready::expired();
    let mut sign_in =
        |times| over(times, ready::session, |session: &mut Session| session.poll(NOW));
    let mut limit = |times| {
        let input = || black_box(SignIn { agent_id: "agent", agent_secret: "secret" });
        over(times, input, |input| {
            let body = serde_json::to_vec(input).expect("text is JSON");
            let mut request = Request::new(body);
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri.clone();
            request.headers_mut().insert(ACCEPT, JSON);
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            request
        })
    };
    table.row("sign-in request", Goal::AtMost(1.7), &mut sign_in, &mut limit);
    let signed_in = ready::signed_in;
    let mut refresh = |times| over(times, signed_in, |session: &mut Session| session.poll(expired));
    table.row("refresh request", Goal::AtMost(1.0), &mut refresh, &mut sign_in);
}

/// How many inputs are made at a time: few enough to stay in the cache.
const CHUNK: usize = 32;

/// Times `run` over inputs that are made before, and outputs that are dropped after.
fn over<I, O>(times: u32, make: impl Fn() -> I, run: impl Fn(&mut I) -> O) -> Duration {
    let (mut outputs, mut all) = (Vec::with_capacity(CHUNK), Duration::ZERO);
    let chunks = (times as usize).div_ceil(CHUNK);
    for _ in 0..chunks {
        let mut inputs: Vec<I> = (0..CHUNK).map(|_| make()).collect();
        let begin = Instant::now();
        outputs.extend(inputs.iter_mut().map(|input| black_box(run(input))));
        all += begin.elapsed();
        outputs.clear();
    }
    all * times / u32::try_from(chunks * CHUNK).unwrap_or(u32::MAX).max(1)
}
