//! A command under way, and a service that holds it up: tests wait for what they do, and not for time.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use imts::JournalFile;
use imts::journal::CallState;
use imts_sandbox::{Front, Sandbox};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Folder, Ran, SERVICE_FILE, call, ran};

/// Longer than anything here takes on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const DATA: &str = r#"{"client_uuid":"17"}"#;

/// A service that holds the reply to whatever is sent to paths that end like this, until the front is
/// dropped or the reply is released. Says when such a request has come.
pub(crate) struct Holding {
    pub(crate) came: Receiver<()>,
    /// Goes before the front, which waits for its replies.
    pub(crate) release: Sender<()>,
    pub(crate) front: Front,
}

impl Holding {
    pub(crate) fn new(path: &'static str) -> Self {
        let (coming, came) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let service = format!("{SERVICE_FILE}[operation.create-person]\npath = \"/x/person\"\n");
        let front = Front::builder(Sandbox::with_service_file(&service).unwrap())
            .handler(move |sandbox, now, request| {
                if request.uri().path().ends_with(path) {
                    let _listening = coming.send(());
                    // A test that drops this service releases it too.
                    let _released = released.recv();
                }
                sandbox.handle(now, request)
            })
            .start()
            .unwrap();
        Self { came, release, front }
    }

    pub(crate) fn wait(&self) {
        self.came.recv_timeout(PATIENCE).unwrap();
    }
}

/// A command under way.
pub(crate) struct Running {
    pub(crate) command: Command,
    pub(crate) child: Child,
    pub(crate) began: Instant,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        Self { command, child, began: Instant::now() }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    pub(crate) fn end(self) -> Ran {
        let (ended, output) = mpsc::channel();
        let id = self.child.id();
        thread::spawn(move || drop(ended.send(self.child.wait_with_output())));
        let output = output.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _killed = kill(Pid::from_raw(id.try_into().unwrap()), Signal::SIGKILL);
            panic!("it does not end: {:?}", self.command)
        });
        ran(&self.command, output.unwrap(), self.began)
    }
}

/// `imts call` with its service file, and a journal of its own.
pub(crate) fn money(
    url: &str,
    operation: &str,
    transport: &str,
    folder: &Folder,
    journal: &str,
) -> Command {
    let service = folder.write(
        "service.toml",
        format!("{SERVICE_FILE}[operation.create-person]\npath = \"/x/person\"\n"),
    );
    let flags = ["--service-file", &service, "--transport", transport, "-d", DATA];
    let mut command = call(url, operation, &flags);
    command.args(["--reference", "17", "--journal", journal]);
    command
}

pub(crate) fn state(journal: &str) -> CallState {
    let book = JournalFile::read(journal).unwrap();
    let states: Vec<_> = book.calls().map(|call| call.state).collect();
    assert_eq!(states.len(), 1, "{states:?}");
    states[0]
}

/// The one JSON object that was printed.
pub(crate) fn only(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    ran.json()["error"].clone()
}
