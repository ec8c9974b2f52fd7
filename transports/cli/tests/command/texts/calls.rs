//! Calls: data that cannot be used, operations that cannot be called, and each outcome.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Instant;

use imts_sandbox::{Delivery, Fault, Front, Position, Sandbox};

use super::scenes::{Scenes, plain};
use crate::{SERVICE_FILE, call, faulty, lost, ran, run_with_stdin};

const DATA: &str = r#"{"client_uuid":"17"}"#;

pub(super) fn shoot(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let service = scenes.folder.service_file();
    let flags = ["--service-file", service.as_str(), "-d", DATA];
    scenes.both("a call that is done", || call(&front.url(), "confirm", &flags));
    mistakes(scenes, &front);
    outcomes(scenes, &flags);
    refusals(scenes, &flags);
    guarded(scenes, &flags);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = call(&front.url(), "confirm", &flags);
    let output = plain(&mut command).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let ran = ran(&command, output, Instant::now());
    scenes.add("done, but stdout cannot be written to", &command, &ran);
}

fn mistakes(scenes: &mut Scenes, front: &Front) {
    let missing = format!("@{}", scenes.folder.path("missing.json"));
    let long = format!("@{}", scenes.folder.write("long.json", vec![b' '; 1_048_577]));
    let binary = format!("@{}", scenes.folder.write("binary.json", b"\xff"));
    let file = format!("@{}", scenes.folder.write("array.json", "[1, 2"));
    let url = front.url();
    let fees = r#"{"originator_type":"robot"}"#;
    let wide = format!("b=@{}", scenes.folder.write("wide.txt", "x".repeat(1_048_570)));
    let cases: [(&str, &str, &[&str]); 26] = [
        ("a name with a mistake", "confrim", &[]),
        ("a part of two names", "person", &[]),
        ("another name", "weather", &["--path", "/x"]),
        ("an operation without a path", "confirm", &[]),
        ("an operation that yields tokens", "get-token", &[]),
        ("the path of the sign-in", "status", &["--path", "/v5/partner/transfer/agent/auth"]),
        ("a path that is not one", "confirm", &["--path", "x"]),
        ("data that is not JSON", "fees", &["-d", "{\n  \"a\": }"]),
        ("data that ends too early", "fees", &["-d", "{"]),
        ("a file without its @", "fees", &["-d", "data.json"]),
        ("a file of data that is missing", "fees", &["-d", &missing]),
        ("data that is too long", "fees", &["-d", &long]),
        ("data with a control character", "fees", &["-d", "{\n\u{7}}"]),
        ("data that is not UTF-8", "fees", &["-d", &binary]),
        ("data in a file that is not JSON", "fees", &["-d", &file]),
        ("a field twice", "fees", &["-d", "a=1", "-d", "a:=2"]),
        ("a request and a field", "fees", &["-d", "{}", "-d", "a=1"]),
        ("a field that is not JSON", "fees", &["-d", "a:=one"]),
        ("a key with a point", "fees", &["-d", "payer.name=A"]),
        ("a key with a space, the second of two", "fees", &["-d", "a=1", "-d", "b c=1"]),
        ("a field without the name of its file", "fees", &["-d", "a=@"]),
        ("a field whose file is missing", "fees", &["-d", &format!("a={missing}")]),
        ("fields that are too long", "fees", &["-d", "a=12345678", "-d", &wide]),
        ("stdin twice", "fees", &["-d", "a=@-", "-d", "b=@-"]),
        ("stdin for a field and the secret", "fees", &["-d", "a=@-", "--secret-file", "-"]),
        ("a blank reference", "confirm", &["--path", "/x", "--reference", " "]),
    ];
    for (situation, operation, flags) in cases {
        scenes.run(situation, &mut call(&url, operation, flags));
    }
    let mut command = call(&url, "fees", &["-d", "-"]);
    let ran = run_with_stdin(plain(&mut command), "{");
    scenes.add("data on stdin that is not JSON", &command, &ran);
    scenes.run("a field that the service refuses", &mut call(&url, "fees", &["-d", fees]));
    let wrong = &mut call(&url, "fees", &[]);
    scenes.run("no token", wrong.env("IMTS_AGENT_SECRET", "another"));
}

/// What is advised about a refused call, by what the service said.
fn refusals(scenes: &mut Scenes, flags: &[&str]) {
    for (situation, status, message) in [
        ("a refusal: a field is missing", 400, "client_uuid is required"),
        ("a refusal: a wrong type", 400, "client_uuid must be a string"),
        ("a refusal: too many requests", 400, "too many requests"),
        ("a refusal: not allowed", 403, "IP 10.0.0.1 not allowed"),
        ("a refusal: a lock", 403, "agent is blocked"),
        ("a refusal: the service is busy", 408, "maintenance"),
        ("a refusal: something else", 400, "limit of the day"),
    ] {
        let body = format!(r#"{{"state":false,"message":"{message}"}}"#);
        let front = Front::builder(Sandbox::with_service_file(SERVICE_FILE).unwrap())
            .handler(move |sandbox, now, request| {
                if request.uri().path() == imts_sandbox::GET_TOKEN_PATH {
                    return sandbox.handle(now, request);
                }
                let response = http::Response::builder().status(status);
                let response = response.header("content-type", "application/json");
                response.body(body.clone().into_bytes()).unwrap()
            })
            .start()
            .unwrap();
        scenes.run(situation, &mut call(&front.url(), "confirm", flags));
    }
}

fn outcomes(scenes: &mut Scenes, flags: &[&str]) {
    let status = |status| Fault::Status { status, retry_after_s: None };
    let text = |text: &str| Fault::Body { text: text.to_owned() };
    let coded = r#"{"state":false,"payload":{"code":17,"message":"no such transfer"}}"#;
    for (situation, fault) in [
        ("422", status(422)),
        ("404", status(404)),
        ("403", status(403)),
        ("429", status(429)),
        ("503", status(503)),
        ("401, again and again", status(401)),
        ("a redirect", status(302)),
        ("state false and a code", text(coded)),
        ("a body that ends too early", text("{")),
        ("a page of HTML", Fault::Html { status: 200 }),
        ("a body that is too long", text(&format!("{{\"x\":\"{}\"}}", "x".repeat(70_000)))),
        ("reset before it was applied", lost(Position::BeforeApply)),
        ("reset in the body of the reply", lost(Position::MidBody)),
    ] {
        for operation in ["confirm", "daily-report"] {
            let what = if operation == "confirm" { "moves money" } else { "reads" };
            let front = faulty(operation, fault.clone());
            let situation = format!("{situation}, of a call that {what}");
            scenes.run(&situation, &mut call(&front.url(), operation, flags));
        }
    }
    let front = faulty("confirm", status(429));
    let decided = scenes.folder.write(
        "decided.toml",
        format!("{SERVICE_FILE}[operation.confirm.decided_before_processing]\nstatuses = [429]\n")
            .replace("version = 1\n", "version = 1\n"),
    );
    let flags = ["--service-file", &decided, "--timeout", "1s"];
    scenes.run(
        "429, which the service file says is before processing",
        &mut call(&front.url(), "confirm", &flags),
    );
    let front = faulty("confirm", Fault::Delivery(Delivery::Stalled));
    let brief = ["--service-file", &decided, "--timeout", "2s", "--reference", "17"];
    scenes.both("no reply in time", || call(&front.url(), "confirm", &brief));
}

fn guarded(scenes: &mut Scenes, flags: &[&str]) {
    let journal = scenes.folder.path("journal");
    let front = faulty("confirm", lost(Position::AfterApply));
    let url = front.url();
    let send = |more: &[&str]| -> Command {
        let mut command = call(&url, "confirm", flags);
        command.args(["--journal", &journal]).args(more);
        command
    };
    scenes.both("no reference", || send(&[]));
    scenes.run("a reply that is lost", &mut send(&["--reference", "17"]));
    scenes.both("the same again", || send(&["--reference", "17"]));
    let other = ["--reference", "17", "-d", r#"{"client_uuid":"18"}"#];
    scenes.run("another request with this reference", &mut {
        let mut command = call(&url, "confirm", &flags[..2]);
        command.args(["--journal", &journal]).args(other);
        command
    });
    scenes.run("for a script", &mut send(&["--reference", "18", "--json"]));
    let resolve = ["journal", "resolve", &journal, "1", "--as", "done", "--reason", "status: done"];
    scenes.run("it is resolved as done", &mut crate::imts(&resolve));
    scenes.run("and sent again", &mut send(&["--reference", "17"]));
    let despite = ["--reference", "17", "--resend-despite", "1", "--reason", "the service lost it"];
    front.sandbox().set_faults(Vec::new());
    scenes.run("sent again despite the journal", &mut send(&despite));
    scenes.run("the journal", &mut crate::imts(&["journal", "list", &journal, "--all"]));
    let mistyped = |id| {
        send(&["--reference", "19", "--resend-despite", id, "--reason", "the service lost it"])
    };
    scenes.run("despite a call of another reference", &mut mistyped("1"));
    scenes.run("despite a call that is not there", &mut mistyped("99"));
    let long = "r".repeat(70_000);
    scenes.run("a reference that is too long", &mut send(&["--reference", &long]));
}
