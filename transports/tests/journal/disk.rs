//! A disk that is full: typed errors, nothing sent, and a file that can be read afterwards.

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::call::CallError;
use imts::clock::{Clock, ManualClock};
use imts::journal::CallState;
use imts::journal::{CallRecord, Entry, Journal, RecordError, Submitted};
use imts::journal_file::JournalError;
use imts::operation::Custom;
use imts::secret::Body;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, JournalFile, Outcome};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

use crate::Folder;

const CHILD_FILE: &str = "IMTS_TEST_JOURNAL_FULL";

const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

/// Runs in a process of its own, which may not write files of more than a few blocks.
#[test]
fn payer() {
    let Ok(file) = env::var(CHILD_FILE) else { return };
    let clock = ManualClock::default();
    let sandbox = Mutex::new(Sandbox::with_service_file(SERVICE_FILE).unwrap());
    let (sent, time) = (Arc::new(AtomicUsize::new(0)), clock.clone());
    let count = Arc::clone(&sent);
    let transport = move |request: Request<Body>, _: Bounds| {
        count.fetch_add(1, Ordering::SeqCst);
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(time.now().wall.unix_micros());
        Ok(sandbox.lock().unwrap().handle(now, &request))
    };
    let client = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(service_of(SERVICE_FILE).unwrap())
        .clock(clock)
        .journal(Slow(JournalFile::open(file).unwrap()))
        .blocking(transport)
        .unwrap();
    drop(client.token().unwrap());
    let (mut done, mut unsent) = (0, 0);
    for number in 0..500 {
        let before = sent.load(Ordering::SeqCst);
        let request = [("client_uuid", number.to_string())];
        let request = std::collections::BTreeMap::from(request);
        // References of many lengths: the disk is full in the midst of each kind of record.
        let reference = format!("{number}{}", "r".repeat(number % 37));
        let confirm = Custom::<Confirm, _>::new(request).with_reference(reference);
        match client.call(&confirm).unwrap() {
            Outcome::Done(_) => done += 1,
            Outcome::Failed(failed) => {
                unsent += 1;
                let CallError::Journal(why) = failed.why() else { panic!("{failed:?}") };
                let why = why.downcast_ref::<JournalError>();
                let why = why.unwrap_or_else(|| panic!("the disk is to blame: {failed:?}"));
                assert!(matches!(why, JournalError::Io { action: "write", .. }), "{why}");
                assert_eq!(sent.load(Ordering::SeqCst), before, "nothing is sent");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(done > 3 && unsent > 100, "{done} done, {unsent} unsent");
    println!("done {done}");
}

/// A journal whose caller is held up, now and then, between an intent and its sending: long enough for the
/// intent to be written by itself.
struct Slow(JournalFile);

impl Journal for Slow {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        self.0.record(entry)
    }

    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        if let Entry::Sending { id, .. } = entry
            && id % 20 == 0
        {
            std::thread::sleep(Duration::from_millis(150));
        }
        self.0.submit(entry)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.0.in_doubt()
    }
}

#[test]
fn what_does_not_fit_on_the_disk_is_not_sent_and_what_did_fit_can_be_read() {
    let folder = Folder::new();
    // A limit of the process stands for a full disk: writes beyond it are cut short, then fail.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact disk::payer --nocapture"])
        .arg(env::current_exe().unwrap())
        .env(CHILD_FILE, folder.path())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let (said, cried) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{cried}");
    let done = said.lines().find_map(|line| line.split_once("done ")).unwrap().1;
    let done: usize = done.trim().parse().unwrap();
    let left = fs::read(folder.path()).unwrap();
    let journal = JournalFile::open(folder.path()).unwrap();
    assert_eq!(fs::read(folder.path()).unwrap(), left, "nothing half-written is left behind");
    let of = |state| journal.book().calls().filter(|call| call.state == state).count();
    let (settled, doubtful) = (of(CallState::Done), of(CallState::InDoubt));
    assert_eq!(settled + doubtful, done, "whatever was sent is settled or in doubt");
    assert!(settled > 3, "{settled}");
}
