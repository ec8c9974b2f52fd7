//! The exchanges of a renewal and of a call without their I/O: requests out, replies in.

use divan::Bencher;
use imts::Reply;
use imts_benches::ready::{self, NOW, REPLY};

fn main() {
    divan::main();
}

/// What no reading of the reply can undercut.
#[divan::bench]
fn limit_from_utf8() -> bool {
    std::str::from_utf8(divan::black_box(REPLY)).is_ok()
}

#[divan::bench]
fn reply_to_grant(bencher: Bencher<'_, '_>) {
    let reply = ready::reply();
    bencher.with_inputs(ready::waiting).bench_local_refs(|(session, ticket)| {
        session.on_reply(*ticket, Reply::from(&reply), NOW).is_ok()
    });
}

#[divan::bench]
fn sign_in_request(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(ready::session).bench_local_refs(|session| session.poll(NOW));
}

#[divan::bench]
fn refresh_request(bencher: Bencher<'_, '_>) {
    let expired = ready::expired();
    bencher.with_inputs(ready::signed_in).bench_local_refs(|session| session.poll(expired));
}

#[divan::bench]
fn call_request(bencher: Bencher<'_, '_>) {
    let (session, fees) = (ready::signed_in(), ready::fees());
    let bearer = ready::bearer(&session);
    let inputs = || bearer.clone();
    bencher.with_inputs(inputs).bench_local_values(|bearer| ready::called(&session, &fees, bearer));
}

#[divan::bench]
fn call_reply(bencher: Bencher<'_, '_>) {
    let (session, fees, reply) = (ready::signed_in(), ready::fees(), ready::call_reply());
    let bearer = ready::bearer(&session);
    let inputs = || ready::called(&session, &fees, bearer.clone()).0;
    bencher.with_inputs(inputs).bench_local_refs(|call| ready::outcome(call, &reply));
}
