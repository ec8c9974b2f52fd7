//! A task that leaves in the midst of its call over hyper-util: what has not left is not sent, and may
//! be sent again; what may have left is in doubt.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use imts::call::Ending;
use imts::journal::CallState;
use imts::journal::{CallRecord, Durable, Entry, Journal, RecordError, Submitted};
use imts::operation::Custom;
use imts::services::transfer::Confirm;
use imts::{AsyncClient, Builder, Credentials, Endpoint, HyperTransport, JournalFile};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, GET_TOKEN_PATH};
use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::runtime::Runtime;

use crate::{Notes, confirm, known_service, policy, sandbox};

/// Longer than anything here takes on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn builder(url: &str) -> Builder {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .service(known_service())
        .policy(policy())
}

fn client(builder: Builder) -> AsyncClient {
    builder.nonblocking(HyperTransport::new().unwrap()).unwrap()
}

/// A service that holds its replies to paths that end like this, until it is let go.
fn holding(path: &'static str) -> (Front, Receiver<()>, Sender<()>) {
    let (coming, came) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let front = Front::builder(sandbox())
        .handler(move |sandbox, now, request| {
            if request.uri().path().ends_with(path) {
                let _listening = coming.send(());
                let _let_go = gone.recv();
            }
            sandbox.handle(now, request)
        })
        .start()
        .unwrap();
    (front, came, go)
}

fn applied(front: &Front) -> u64 {
    front.sandbox().ledger().intents().map(|intent| intent.applied).sum()
}

/// Begins the call on the runtime, and drops it once this has happened.
fn dropped_at(
    runtime: &Runtime,
    client: &AsyncClient,
    call: Custom<Confirm, serde_json::Value>,
    event: &Receiver<()>,
) {
    let calling = client.clone();
    let task = runtime.spawn(async move { calling.call(&call).await.map(drop) });
    event.recv_timeout(PATIENCE).unwrap();
    task.abort();
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
}

/// Another call of the same intent is sent, once.
fn assert_sent_once(runtime: &Runtime, client: &AsyncClient, front: &Front) {
    let outcome = runtime.block_on(client.call(&confirm("a"))).unwrap();
    assert_eq!((outcome.ending(), applied(front)), (Ending::Done, 1));
}

#[test]
fn a_call_that_is_dropped_while_it_waits_for_a_token_is_not_sent() {
    let (front, came, go) = holding(GET_TOKEN_PATH);
    let (runtime, notes) = (runtime(), Notes::default());
    let client = client(builder(&front.url()).journal(notes.clone()));
    dropped_at(&runtime, &client, confirm("a"), &came);
    assert_eq!(notes.lines(), ["intent a", "ended 1 not_sent"]);
    drop(go);
    assert_sent_once(&runtime, &client, &front);
}

/// A journal whose disk takes for ever to make the first sending durable.
struct Slow {
    file: JournalFile,
    marked: Option<Sender<()>>,
}

impl Journal for Slow {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        self.file.record(entry)
    }

    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        let submitted = self.file.submit(entry)?;
        match (entry, self.marked.take_if(|_| matches!(entry, Entry::Sending { .. }))) {
            (Entry::Sending { id, .. }, Some(marked)) => {
                marked.send(()).unwrap();
                let never: Durable = Box::pin(std::future::pending());
                Ok(Submitted::later(*id, never))
            }
            _ => Ok(submitted),
        }
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.file.in_doubt()
    }
}

#[test]
fn a_call_that_is_dropped_while_it_waits_for_the_journal_is_not_sent() {
    let front = Front::start(sandbox()).unwrap();
    let name = format!("imts-dropped-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("journal");
    let (marked, event) = mpsc::channel();
    let journal = Slow { file: JournalFile::open(&path).unwrap(), marked: Some(marked) };
    let (runtime, client) = (runtime(), client(builder(&front.url()).journal(journal)));
    dropped_at(&runtime, &client, confirm("a"), &event);
    assert_sent_once(&runtime, &client, &front);
    drop((client, runtime));
    let states: Vec<_> = JournalFile::read(&path).unwrap().calls().map(|call| call.state).collect();
    assert_eq!(states, [CallState::NotSent, CallState::Done]);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Connects until no more connections are made.
fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let all: Vec<_> =
        std::iter::from_fn(|| connect().or_else(|_| connect()).ok()).take(99).collect();
    assert!(all.len() < 99, "the backlog has no end");
    all
}

/// Hands one request on to the service, and its reply back, and closes both connections.
fn hand_on(listener: &TcpListener, front: &Front) {
    let (mut client, _) = listener.accept().unwrap();
    let mut service = TcpStream::connect(front.url().trim_start_matches("http://")).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    let back = thread::spawn(move || {
        let mut reply = [0; 65_536];
        let length = service.read(&mut reply).unwrap();
        if client.write_all(&reply[..length]).is_ok() {
            let _closed = client.shutdown(Shutdown::Both);
        }
    });
    let mut request = [0; 65_536];
    while let Ok(1..) = from.peek(&mut request) {
        let length = from.read(&mut request).unwrap();
        to.write_all(&request[..length]).unwrap();
    }
    let _closed = to.shutdown(Shutdown::Write);
    back.join().unwrap();
}

#[test]
fn a_call_that_is_dropped_while_it_connects_is_not_sent() {
    let front = Front::start(sandbox()).unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let (runtime, notes) = (runtime(), Notes::default());
    let client = client(builder(&format!("http://{address}")).journal(notes.clone()));
    thread::scope(|scope| {
        // The connection is closed by then: the call needs another.
        let handing_on = scope.spawn(|| hand_on(&listener, &front));
        runtime.block_on(client.warm_up()).unwrap();
        handing_on.join().unwrap();
    });
    let full = fill(address);
    runtime.block_on(async {
        let operation = confirm("a");
        let mut call = pin!(client.call(&operation));
        assert!(poll(call.as_mut()).is_pending());
        assert_eq!(notes.lines(), ["intent a", "sending 1"]);
    });
    assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 not_sent"]);
    drop(full);
    thread::scope(|scope| {
        scope.spawn(|| {
            // What had filled the backlog comes first, and says nothing.
            while applied(&front) == 0 {
                hand_on(&listener, &front);
            }
        });
        assert_sent_once(&runtime, &client, &front);
    });
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_that_is_dropped_while_it_is_written_is_in_doubt() {
    let front = Front::start(sandbox()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (begun, event) = mpsc::channel();
    let (runtime, notes) = (runtime(), Notes::default());
    let client = client(builder(&url).journal(notes.clone()));
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            hand_on(&listener, &front);
            let (mut stream, _) = listener.accept().unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 1);
            begun.send(()).unwrap();
            stream
        });
        runtime.block_on(client.warm_up()).unwrap();
        // More than the sockets' buffers take.
        let note = "x".repeat(32 << 20);
        let call = Custom::new(json!({ "client_uuid": "a", "note": note })).with_reference("a");
        dropped_at(&runtime, &client, call, &event);
        assert_eq!(notes.lines(), ["intent a", "sending 1"]);
        drop(reading.join().unwrap());
    });
}

#[test]
fn a_call_that_is_dropped_while_its_reply_is_waited_for_is_in_doubt() {
    let (front, came, go) = holding("/confirm");
    let (runtime, notes) = (runtime(), Notes::default());
    let client = client(builder(&front.url()).journal(notes.clone()));
    dropped_at(&runtime, &client, confirm("a"), &came);
    assert_eq!(notes.lines(), ["intent a", "sending 1"]);
    drop(go);
}
