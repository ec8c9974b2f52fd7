//! What is in the file by the time that the service sees the first of a request.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use imts::journal::CallState;
use imts::operation::Custom;
use imts::service_file::service_of;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, JournalFile, Outcome, Transport, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};

use crate::Folder;

const SERVICE_FILE: &str =
    "version = 1\n[operation.confirm]\npath = '/v5/partner/transfer/example'\n";

#[test]
fn a_call_is_in_doubt_in_the_file_before_its_first_byte_arrives() {
    let folder = Folder::new();
    let (path, front) = (folder.path(), Front::start(Sandbox::default()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (file, sight) = (path.clone(), Arc::clone(&seen));
    let witness = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        let book = JournalFile::read(file).unwrap();
        sight.lock().unwrap().extend(book.calls().map(|call| (call.state, call.sent_at)));
    });
    // Sign-ins go to the sandbox, money to a witness who looks, and hangs up.
    let (ureq, to_front) = (UreqTransport::new().unwrap(), front.url());
    let transport = move |mut request: http::Request<imts::secret::Body>, bounds: Bounds| {
        if request.uri().path().ends_with("/agent/auth") {
            let url = format!("{to_front}{}", request.uri().path());
            *request.uri_mut() = url.parse().unwrap();
        }
        ureq.send(request, bounds)
    };
    let client = Builder::new(Endpoint::plain_loopback(&format!("http://{address}")).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(service_of(SERVICE_FILE).unwrap())
        .journal(JournalFile::open(&path).unwrap())
        .blocking(transport)
        .unwrap();
    drop(client.token().unwrap());
    let outcome = client
        .call(&Custom::<Confirm, _>::new(serde_json::json!({})).with_reference("17"))
        .unwrap();
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    witness.join().unwrap();
    let seen = seen.lock().unwrap();
    assert!(matches!(seen[..], [(CallState::InDoubt, Some(_))]), "{seen:?}");
}
