//! A token, please, while one is valid: one client shared by all threads, and a handle for each.

use std::cell::RefCell;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use imts::{AsyncClient, Client, Handle};
use imts_benches::ready::{self, NOW};

/// How many threads ask at once.
const THREADS: &[usize] = &[1, 2, 8];

static CLIENT: LazyLock<Client> = LazyLock::new(ready::client);
static ASYNC_CLIENT: LazyLock<AsyncClient> = LazyLock::new(ready::async_client);

fn main() {
    LazyLock::force(&CLIENT);
    LazyLock::force(&ASYNC_CLIENT);
    divan::main();
}

#[divan::bench(threads = THREADS)]
fn client_shared() {
    drop(black_box(CLIENT.token()));
}

#[divan::bench(threads = THREADS)]
fn async_client_shared() {
    drop(black_box(ready::at_once(ASYNC_CLIENT.token())));
}

#[divan::bench(threads = THREADS)]
fn handle_of_each_thread(bencher: Bencher<'_, '_>) {
    thread_local!(static HANDLE: RefCell<Handle> = RefCell::new(CLIENT.handle()));
    bencher.bench(|| {
        HANDLE.with_borrow_mut(|handle| drop(black_box(handle.token())));
    });
}

/// What a thread pays that keeps its handle in a variable.
#[divan::bench]
fn handle(bencher: Bencher<'_, '_>) {
    let mut handle = CLIENT.handle();
    bencher.bench_local(|| drop(black_box(handle.token())));
}

/// The value of `Authorization`, ready to be inserted.
#[divan::bench]
fn authorization_value(bencher: Bencher<'_, '_>) {
    let client = ready::client();
    bencher.bench_local(|| client.token().map(|bearer| bearer.header().clone()));
}

/// The session alone: no lock and no clock.
#[divan::bench]
fn session_poll_ready(bencher: Bencher<'_, '_>) {
    let mut session = ready::signed_in();
    bencher.bench_local(|| session.poll(NOW));
}

#[divan::bench]
fn session_phase(bencher: Bencher<'_, '_>) {
    let session = ready::signed_in();
    bencher.bench_local(|| session.phase(NOW).usable().is_some());
}
