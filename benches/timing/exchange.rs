//! The two exchanges of a renewal without their I/O: requests out, the documented reply in.

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
