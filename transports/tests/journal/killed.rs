//! A process that is killed before and after each write and each exchange: whatever the service
//! applied is in doubt, or settled, after the restart.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use imts::journal::CallState;
use imts::journal::{CallRecord, Entry, Journal, RecordError};
use imts::operation::Custom;
use imts::secret::Body;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, JournalFile, Transport, TransportError, UreqTransport};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Fault, Front, Operation, Rule, Sandbox, When,
};

use crate::{Folder, this_program};

const URL: &str = "IMTS_TEST_JOURNAL_URL";
const FILE: &str = "IMTS_TEST_JOURNAL_FILE";
const STEP: &str = "IMTS_TEST_JOURNAL_STEP";

const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

/// How many calls a process makes, if it lives that long.
const CALLS: usize = 2;

/// Counts down to the death of the process.
#[derive(Clone)]
struct Fate(Arc<AtomicUsize>);

impl Fate {
    fn step(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_self();
        }
    }
}

/// SIGKILL: no destructor runs, nothing is flushed.
fn kill_self() -> ! {
    let this = std::process::id().to_string();
    drop(Command::new("kill").args(["-KILL", &this]).status());
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

struct Doomed<T>(T, Fate);

impl Journal for Doomed<JournalFile> {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        self.1.step();
        let outcome = self.0.record(entry);
        self.1.step();
        outcome
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.0.in_doubt()
    }
}

impl Transport for Doomed<UreqTransport> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        self.1.step();
        let outcome = self.0.send(request, bounds);
        self.1.step();
        outcome
    }
}

/// Runs in a process of its own.
#[test]
fn payer() {
    let (Ok(url), Ok(file), Ok(step)) = (env::var(URL), env::var(FILE), env::var(STEP)) else {
        return;
    };
    let fate = Fate(Arc::new(AtomicUsize::new(step.parse().unwrap())));
    let journal = Doomed(JournalFile::open(file).unwrap(), fate.clone());
    let client = Builder::new(Endpoint::plain_loopback(&url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(service_of(SERVICE_FILE).unwrap())
        .journal(journal)
        .blocking(Doomed(UreqTransport::new().unwrap(), fate))
        .unwrap();
    for number in 0..CALLS {
        let id = format!("{step}-{number}");
        let request = std::collections::BTreeMap::from([("client_uuid", id.as_str())]);
        let confirm = Custom::<Confirm, _>::new(request).with_reference(&id);
        drop(client.call(&confirm).unwrap());
    }
}

fn runs(front: &Front, file: &Path, step: usize) -> Command {
    let mut child = this_program("killed::payer");
    child.env(URL, front.url()).env(FILE, file).env(STEP, step.to_string()).stdin(Stdio::null());
    child
}

fn service() -> Front {
    Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap()
}

/// Holds a journal to the ledger; yields what was in doubt, and whether that had been applied.
fn compare(front: &Front, file: &Path, step: usize) -> Vec<bool> {
    let journal = JournalFile::open(file).unwrap();
    let sandbox = front.sandbox();
    let applied = |id: &str| sandbox.ledger().applied(Operation::Confirm, id);
    for number in 0..CALLS {
        let id = format!("{step}-{number}");
        let known = journal.book().calls().find(|call| call.reference.as_ref() == Some(&id));
        let state = known.map(|call| call.state);
        match applied(&id) {
            0 => assert_ne!(state, Some(CallState::Done), "{id}"),
            1 => assert!(
                matches!(state, Some(CallState::InDoubt | CallState::Done)),
                "{id} was applied, and the journal says {state:?}"
            ),
            more => panic!("{id} was applied {more} times"),
        }
    }
    let doubts = journal.book().in_doubt();
    doubts.map(|call| applied(call.reference.as_deref().unwrap()) == 1).collect()
}

#[test]
fn whatever_was_applied_when_the_process_was_killed_is_in_doubt_or_settled() {
    let front = service();
    let (mut was_applied, mut was_not) = (0, 0);
    for step in 1.. {
        let folder = Folder::new();
        // The second call's reply is lost, so that its end is unknown also to those who live on.
        let rule = Rule {
            operation: Some(Operation::Confirm),
            when: When::Nth(2),
            fault: Fault::Delivery(Delivery::Reset),
        };
        front.sandbox().set_faults(vec![rule]);
        let status = runs(&front, &folder.path(), step).status().unwrap();
        assert!(status.success() || status.signal() == Some(9), "{status}");
        for applied in compare(&front, &folder.path(), step) {
            *(if applied { &mut was_applied } else { &mut was_not }) += 1;
        }
        if status.success() {
            // A sign-in, and for each call three records and an exchange, before and after each.
            assert_eq!(step, (1 + CALLS * 4) * 2 + 1);
            break;
        }
    }
    assert!(was_applied > 3 && was_not > 1, "{was_applied} {was_not}");
}

#[test]
fn nor_does_it_matter_where_in_a_write_or_an_exchange_a_kill_falls() {
    let front = service();
    for round in 0..12_u64 {
        let folder = Folder::new();
        // A step that never comes; its number tells the rounds apart.
        let step = 1_000_000 + usize::try_from(round).unwrap();
        let mut child = runs(&front, &folder.path(), step).spawn().unwrap();
        thread::sleep(Duration::from_millis(5 + round * 7));
        drop(child.kill());
        child.wait().unwrap();
        compare(&front, &folder.path(), step);
    }
}
