//! One process of a fleet: it asks for a token again and again, until its stdin ends.

use std::env;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use imts::{Builder, Credentials, Endpoint, Policy, StoreError, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};

use crate::place;

pub(super) const URL: &str = "IMTS_TEST_FLEET_URL";
pub(super) const STORE: &str = "IMTS_TEST_FLEET_STORE";
pub(super) const REPORT: &str = "IMTS_TEST_FLEET_REPORT";
pub(super) const STORE_BACKOFF_CAP_MS: &str = "IMTS_TEST_FLEET_STORE_BACKOFF_CAP_MS";
pub(super) const LEASE_MS: &str = "IMTS_TEST_FLEET_LEASE_MS";

/// Runs in a process of its own. It reports each failure at once, and its asks now and then.
#[test]
fn node() {
    let (Ok(url), Ok(store), Ok(report)) = (env::var(URL), env::var(STORE), env::var(REPORT))
    else {
        return;
    };
    let mut policy = Policy::default();
    if let Ok(lease) = env::var(LEASE_MS) {
        policy.lease = Duration::from_millis(lease.parse().unwrap());
    }
    if let Ok(cap) = env::var(STORE_BACKOFF_CAP_MS) {
        policy.store_backoff_cap = Duration::from_millis(cap.parse().unwrap());
    }
    let client = Builder::new(Endpoint::plain_loopback(&url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .policy(policy)
        .store(place::open(&store))
        .blocking(UreqTransport::new().unwrap())
        .unwrap();
    let mut report = OpenOptions::new().append(true).create(true).open(report).unwrap();
    let mut says = |line: String| report.write_all((line + "\n").as_bytes()).unwrap();

    let is_over = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&is_over);
    thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        end.store(true, Ordering::SeqCst);
    });
    let mut asks = 0_u64;
    while !is_over.load(Ordering::SeqCst) {
        asks += 1;
        // A process that is killed has reported most of its asks.
        if asks == 50 {
            says(format!("asks {}", std::mem::take(&mut asks)));
        }
        if let Err(error) = client.token() {
            says(format!("failed {error}"));
        }
        if let Some(why) = client.store_failure().filter(|why| is_worse(&**why)) {
            says(format!("store {why}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    says(format!("asks {asks}"));
}

/// Whether a store failed otherwise than by being slow: a stopped process may hold its lock.
fn is_worse(why: &(dyn Error + 'static)) -> bool {
    let kind = why.downcast_ref::<StoreError>().map(StoreError::kind);
    !matches!(kind, Some("unreachable" | "timed out"))
}
