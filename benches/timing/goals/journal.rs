//! Calls that a journal in a file makes durable, beside a bare file's appends and syncs.
//!
//! A fast disk hides what is waited for. `benches/durable` lets each sync take 5 ms longer, and counts them.

use std::fs::{self, File};
use std::future::{Ready, ready as at_once};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::endpoint::ServicePath;
use imts::journal::Book;
use imts::journal::{Digest, DoneCall, Kept};
use imts::journal_file::bytes_of;
use imts::operation::Custom;
use imts::secret::Body;
use imts::services::transfer::Confirm;
use imts::time::Wall;
use imts::transport::Bounds;
use imts::{
    AsyncClient, Builder, Client, Credentials, Endpoint, Evidence, JournalFile, Outcome,
    TransportError, services,
};
use imts_benches::ready;
use tokio::task::JoinSet;

use super::table::{Goal, Table, timed, together};

const CALLERS: usize = 32;

/// A record of an intent and its sending is about as long.
const RECORD: &[u8] = &[b'x'; 300];

/// A folder of this run's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("imts-goals-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("there is room for a folder");
        Self(folder)
    }

    fn journal(&self, name: &str) -> JournalFile {
        JournalFile::open(self.0.join(name)).expect("it is a new file")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn exchange(request: &Request<Body>) -> Response<Vec<u8>> {
    if request.uri().path().contains("/agent/") {
        return ready::reply();
    }
    let response = Response::builder().header("content-type", "application/json");
    response.body(br#"{"state":true,"payload":{}}"#.to_vec()).expect("the header is well formed")
}

fn builder(journal: Option<JournalFile>) -> Builder {
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new("/v5/partner/transfer/confirm").expect("it is a path");
    operations.set_path("confirm", path, Evidence::Assumed).expect("it has none yet");
    let builder = Builder::new(Endpoint::https("https://service.example").expect("it is a URL"))
        .credentials(Credentials::new("agent", "secret").expect("they are well formed"))
        .service(services::transfer().with_operations(operations));
    match journal {
        Some(journal) => builder.journal(journal),
        None => builder,
    }
}

fn on_threads(journal: Option<JournalFile>) -> Client {
    let send = |request: Request<Body>, _: Bounds| Ok(exchange(&request));
    let client = builder(journal).blocking(send).expect("it is set up");
    drop(client.token().expect("it is granted"));
    client
}

fn in_tasks(journal: Option<JournalFile>) -> AsyncClient {
    let send = |request: Request<Body>, _: Bounds| -> Ready<Result<_, TransportError>> {
        at_once(Ok(exchange(&request)))
    };
    builder(journal).nonblocking((send, tokio::time::sleep)).expect("it is set up")
}

fn payment() -> Custom<Confirm, serde_json::Value> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Custom::new(serde_json::json!({ "client_uuid": number })).with_reference(number.to_string())
}

fn pay(client: &Client) {
    let outcome = client.call(&payment()).expect("it is admitted");
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

/// So many callers at once, as much as one call of each costs.
fn crowd(client: &Client, times: u32) -> Duration {
    let each = times.div_ceil(CALLERS as u32);
    let pays = |times| timed(|| (0..times).for_each(|_| pay(client)));
    together(CALLERS, &pays, each) * times / (each * CALLERS as u32)
}

/// One caller beside two bare appends; and many beside one.
pub(crate) fn callers(table: &mut Table) {
    let folder = Folder::new();
    let one = on_threads(Some(folder.journal("one")));
    let mut bare = File::create(folder.0.join("bare")).expect("there is room for a file");
    let round = Duration::from_millis(300);
    let alone = &mut |times: u32| timed(|| (0..times).for_each(|_| pay(&one)));
    let appends = &mut |times: u32| {
        timed(|| {
            for _ in 0..times * 2 {
                bare.write_all(RECORD).expect("there is room");
                bare.sync_data().expect("the disk works");
            }
        })
    };
    let name = "durable call, 1 caller";
    table.row_of(name, Goal::AtLeast(0.9), 9, round, alone, appends);
    let many = on_threads(Some(folder.journal("many")));
    let crowd = &mut |times| crowd(&many, times);
    let name = "durable call, 32 callers beside 1";
    table.row_of(name, Goal::AtLeast(8.0), 9, round, crowd, alone);
}

/// The 99th of a hundred sleeps of 1 ms in a runtime whose tasks make durable calls all the time.
pub(crate) fn bystander(table: &mut Table) {
    let folder = Folder::new();
    let rounds = AtomicU64::new(0);
    let sleeps = |client: AsyncClient| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives a reactor").block_on(async {
            let is_over = std::sync::Arc::new(AtomicBool::new(false));
            let mut callers = JoinSet::new();
            for _ in 0..CALLERS {
                let (client, is_over) = (client.clone(), std::sync::Arc::clone(&is_over));
                callers.spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        let outcome = client.call(&payment()).await.expect("it is admitted");
                        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
            }
            let mut spans = Vec::new();
            for _ in 0..200 {
                let begin = Instant::now();
                tokio::time::sleep(Duration::from_millis(1)).await;
                spans.push(begin.elapsed());
            }
            is_over.store(true, Ordering::Relaxed);
            callers.join_all().await;
            spans.sort();
            spans[spans.len() * 99 / 100]
        })
    };
    let ours = &mut |_| {
        let name = format!("bystander-{}", rounds.fetch_add(1, Ordering::Relaxed));
        sleeps(in_tasks(Some(folder.journal(&name))))
    };
    let limit = &mut |_| sleeps(in_tasks(None));
    let name = "a bystander's sleep, durable calls beside it";
    table.row_of(name, Goal::AtMost(1.5), 15, Duration::ZERO, ours, limit);
}

/// A compact journal of a million calls that were done: its opening, beside a bare read of its bytes.
pub(crate) fn opening(table: &mut Table) {
    let name = "opening a compact journal of 10^6 done calls";
    if !table.wants(name) {
        return;
    }
    let calls: u64 = if table.is_timed() { 1_000_000 } else { 1_000 };
    let at =
        |id: u64| Wall::from_unix_micros(1_764_000_000_000_000 + id.cast_signed() * 61_234_567);
    let mut book = Book::default();
    for id in 1..=calls {
        let spread = |by: u64| id.wrapping_mul(by);
        let key = (spread(0x9e37_79b9_7f4a_7c15), spread(0xc2b2_ae3d_27d4_eb4f));
        let done = DoneCall { key, meaning: Digest(spread(0x1656_67b1_9e37_79f9)), id, at: at(id) };
        assert!(book.restore(Kept::Done(done)), "its number is the next");
    }
    let folder = Folder::new();
    let path = folder.0.join("compact");
    fs::write(&path, bytes_of(&book, at(0)).expect("it fits")).expect("there is room");
    let ours = &mut |times: u32| {
        timed(|| (0..times).for_each(|_| drop(JournalFile::open(&path).expect("it is whole"))))
    };
    let mut buffer = vec![0; 1 << 18];
    let read = &mut |times: u32| {
        timed(|| {
            for _ in 0..times {
                let mut file = File::open(&path).expect("it is there");
                while file.read(&mut buffer).expect("the disk works") > 0 {}
            }
        })
    };
    table.row_of(name, Goal::Quoted, 9, Duration::ZERO, ours, read);
}
