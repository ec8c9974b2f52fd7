//! A process that opens a journal and pays over it, and says by marks what it does: `opens`,
//! `opened` or `unopened`; of each call `sends REFERENCE` when its request leaves, then
//! `done REFERENCE` or `unsent REFERENCE`.

use std::env;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use imts::call::CallError;
use imts::clock::{Clock as _, SystemClock};
use imts::operation::Custom;
use imts::secret::Body;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, JournalFile, Outcome, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

use crate::Folder;
use crate::traced::{Marks, Trace, journal_of_this_process};

/// Which client pays: threads' or tasks'.
const CLIENT: &str = "IMTS_TEST_TRACED_CLIENT";

const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

/// What is paid while the journal is open for the first time, and each time that it was opened anew.
pub(crate) const PAID: [&[&str]; 3] = [&["a1", "a2", "a3"], &["b1", "b2"], &["c1"]];

pub(crate) const CLIENTS: [&str; 2] = ["threads", "tasks"];

/// Traces a payer.
pub(crate) fn pays(folder: &Folder, client: &str, faults: &[&str]) -> Trace {
    Trace::of("payer::process", folder, &[(CLIENT, client)], faults)
}

/// The service, in the process that pays.
#[derive(Clone)]
struct Service(Arc<Mutex<Sandbox>>, Arc<Marks>);

impl Service {
    fn exchange(&self, request: Request<Body>) -> Result<Response<Vec<u8>>, TransportError> {
        let request = request.map(|body| body.as_ref().to_vec());
        if !request.uri().path().contains("/agent/") {
            let json: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            self.1.say(&format!("sends {}", json["client_uuid"].as_str().unwrap()));
        }
        let now = Time::from_micros(SystemClock.now().wall.unix_micros());
        Ok(self.0.lock().unwrap().handle(now, &request))
    }
}

/// Runs in a process of its own.
#[test]
fn process() {
    let (Some(file), Some(marks)) = (journal_of_this_process(), Marks::of_this_process()) else {
        return;
    };
    let Ok(client) = env::var(CLIENT) else { return };
    let marks = Arc::new(marks);
    let sandbox = Arc::new(Mutex::new(Sandbox::with_service_file(SERVICE_FILE).unwrap()));
    let service = Service(sandbox, Arc::clone(&marks));
    let mut turns = PAID.iter().peekable();
    // Once more than there is to pay: a fault may make one opening fail.
    for _ in 0..=PAID.len() {
        let Some(references) = turns.peek() else { break };
        marks.say("opens");
        // The thread of a renewal that ends may have the client before for a moment more.
        let options = JournalFile::options().wait(Duration::from_secs(60));
        let Ok(journal) = options.open(&file) else {
            marks.say("unopened");
            continue;
        };
        marks.say("opened");
        let builder = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .service(service_of(SERVICE_FILE).unwrap())
            .journal(journal);
        let pay = pays_by(&client, builder, service.clone());
        for reference in **references {
            match pay(reference) {
                Outcome::Done(_) => marks.say(&format!("done {reference}")),
                Outcome::Failed(failed) => {
                    assert!(matches!(failed.why(), CallError::Journal(_)), "{failed:?}");
                    marks.say(&format!("unsent {reference}"));
                }
                other => panic!("{other:?}"),
            }
        }
        drop(pay);
        marks.say("closed");
        turns.next();
    }
}

type Pay = Box<dyn Fn(&str) -> Outcome<imts::operation::Json>>;

fn pays_by(client: &str, builder: Builder, service: Service) -> Pay {
    let confirm = |reference: &str| {
        let request = serde_json::json!({ "client_uuid": reference });
        Custom::<Confirm, _>::new(request).with_reference(reference)
    };
    if client == "threads" {
        let send = move |request: Request<Body>, _: Bounds| service.exchange(request);
        let client = builder.blocking(send).unwrap();
        return Box::new(move |reference| client.call(&confirm(reference)).unwrap());
    }
    let send =
        move |request: Request<Body>, _: Bounds| std::future::ready(service.exchange(request));
    let sleep = |time: Duration| tokio::time::sleep(time);
    let client = builder.nonblocking((send, sleep)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Box::new(move |reference| runtime.block_on(client.call(&confirm(reference))).unwrap())
}
