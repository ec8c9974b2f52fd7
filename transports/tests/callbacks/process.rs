//! A server in a process of its own, over axum: what the gateway calls.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use imts::callback::{
    Alarm, AsyncCallbacks, AsyncHandler, CallbackService, Decision, Delivery, FileAnswers,
    OnThreads, PaymentResult, Undecided,
};
use imts::transport::BoxFuture;

use crate::shop::{judge, receiver};

/// Where the child has its files, and which payment it never decides about.
const PLACE: &str = "IMTS_CALLBACKS_PLACE";
const STUCK: &str = "IMTS_CALLBACKS_STUCK";

/// Decides, and writes down each decision before it is known to anyone.
struct Recorder {
    decisions: PathBuf,
    stuck: Option<String>,
}

impl AsyncHandler for Recorder {
    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move {
            let payment = result.payment_id().map_err(Undecided::new)?;
            let word = if matches!(delivery, Delivery::First(_)) { "first" } else { "again" };
            append(&self.decisions, &format!("{payment} {word}\n"));
            if self.stuck.as_deref() == Some(payment) {
                println!("\ndeciding");
                std::future::pending::<()>().await;
            }
            Ok(judge(result, delivery))
        })
    }

    fn alarm(&self, alarm: &Alarm) {
        append(&self.decisions.with_file_name("alarms"), &format!("{alarm}\n"));
    }
}

fn append(path: &Path, line: &str) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.unwrap().write_all(line.as_bytes()).unwrap();
}

/// The program of the child. Without its variable it is no child, and serves nothing.
#[test]
fn a_process_serves() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let answers = OnThreads::new(FileAnswers::open(place.join("answers")).unwrap());
        let recorder =
            Recorder { decisions: place.join("decisions"), stuck: std::env::var(STUCK).ok() };
        let service = CallbackService::new(AsyncCallbacks::new(receiver(), recorder, answers));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("\nport {}", listener.local_addr().unwrap().port());
        let router = Router::new().route_service("/pay/{name}", service);
        axum::serve(listener, router).await.unwrap();
    });
}

/// A child that runs until it is killed.
pub(crate) struct Server {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(place: &Path, stuck: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::a_process_serves", "--nocapture"]).env(PLACE, place);
        if let Some(payment) = stuck {
            command.env(STUCK, payment);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, lines, address: ([127, 0, 0, 1], 0).into() };
        let port = server.line("port ");
        server.address.set_port(port.parse().unwrap());
        server
    }

    /// Waits for a line that begins so, and returns the rest of it.
    pub(crate) fn line(&mut self, begin: &str) -> String {
        for line in self.lines.by_ref().lines() {
            if let Some(rest) = line.unwrap().strip_prefix(begin) {
                return rest.to_owned();
            }
        }
        panic!("the process ended before it wrote {begin:?}")
    }

    /// Kills it, by a signal that it cannot catch.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Delivers a result as the gateway does. Returns status and body, or `None` if the connection broke.
pub(crate) fn deliver(address: SocketAddr, body: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST /pay/result HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer[end + 4..].to_vec()))
}
