//! Nothing that the command says holds a secret, a token or a card number, in any encoding: held to
//! in every run of these tests, and in those here, where a service quotes all that it was sent.

#[allow(dead_code, reason = "it is shared with the core's own hunt")]
#[path = "../../../../core/tests/canary/hunt.rs"]
mod hunt;

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http::{Response, StatusCode};
use imts_sandbox::{Front, GET_TOKEN_PATH, Operation, Sandbox};

use self::hunt::Hunt;
use crate::{AGENT, Folder, Ran, SECRET, SERVICE_FILE, TRANSPORTS, call, imts, ran, run, token};

const CANARY: &str = "Right-Secret.CommandCanaryQ7xZvKwTn4";
const CARD: &str = "4000056655665556";
/// How each of the sandbox's tokens begins: its header, which says what signs it.
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.";

fn hunt() -> Hunt {
    let mut hunt = Hunt::default();
    for (what, secret) in [("secret", CANARY), ("token", TOKEN), ("card number", CARD)] {
        hunt.add(what, secret);
    }
    hunt
}

/// Of every run, but those that were told to show a token, or to make one.
pub(crate) fn assert_silent(command: &Command, ran: &Ran) {
    let shows = ["--show", "--header", "sign"];
    if command.get_args().any(|argument| shows.iter().any(|flag| argument == *flag)) {
        return;
    }
    let hunt = hunt();
    for output in [&ran.out, &ran.err] {
        let found = hunt.find(output);
        assert!(found.is_empty() && !output.contains(SECRET), "{found:?} in {command:?}: {ran:?}");
    }
}

/// A service that knows the canary, and answers with all that it was sent: to a sign-in, or to what
/// comes after it.
fn quoting(status: u16, sign_in: bool) -> Front {
    let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
    sandbox.settings_mut().agents = [(AGENT.to_owned(), CANARY.to_owned())].into();
    let handler = move |sandbox: &mut Sandbox, now, request: &http::Request<Vec<u8>>| {
        if (request.uri().path() == GET_TOKEN_PATH) != sign_in {
            return sandbox.handle(now, request);
        }
        let body = String::from_utf8_lossy(request.body());
        let head = request.headers().get("authorization").map(|value| value.to_str().unwrap());
        let text = format!("{body} {}", head.unwrap_or_default());
        let quote = serde_json::json!({ "state": text, "code": text, "message": text });
        let mut response = Response::new(quote.to_string().into_bytes());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for name in ["content-type", "location", "www-authenticate", "x-quote"] {
            let json = name == "content-type";
            let value = if json { "application/json".to_owned() } else { text.replace('"', "'") };
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    };
    Front::builder(sandbox).handler(handler).start().unwrap()
}

/// Runs it as people and as scripts do, and at its most talkative; yields the exit codes.
fn each_way(command: impl Fn() -> Command) -> Vec<i32> {
    let ways: [&[&str]; 4] = [&[], &["-vv"], &["--json"], &["--json", "-vv"]];
    ways.map(|way| run(command().args(way).env("IMTS_AGENT_SECRET", CANARY)).code).to_vec()
}

#[test]
fn a_token_that_is_to_be_shown_is_found() {
    let front = Front::start(Sandbox::default()).unwrap();
    let shown = run(&mut token(&front.url(), &["--show"])).out;
    assert_eq!(hunt().find(&shown), [("token", "raw")]);
}

#[test]
fn a_service_that_quotes_what_it_was_sent_gets_none_of_it_told() {
    let folder = Folder::new("canary-quotes");
    let service_file = folder.service_file();
    let data = format!(r#"{{"client_uuid":"17","destination_identifier":"{CARD}"}}"#);
    for (place, status) in [200, 302, 401, 422, 503].into_iter().enumerate() {
        let transport = ["--transport", TRANSPORTS[place % 2]];
        let front = quoting(status, true);
        let codes = each_way(|| token(&front.url(), &transport));
        assert!(codes.iter().all(|code| matches!(code, 3 | 4)), "{status}: {codes:?}");
        let front = quoting(status, false);
        let flags =
            [&transport[..], &["--service-file", &service_file, "--timeout", "2s"]].concat();
        for operation in ["confirm", "daily-report"] {
            let call = || {
                let mut call = call(&front.url(), operation, &flags);
                call.args(["-d", &data]);
                call
            };
            let codes = each_way(call);
            assert!(!codes.contains(&0) && !codes.contains(&2), "{operation} {status}: {codes:?}");
        }
    }
}

#[test]
fn what_goes_well_and_what_is_written_down_tells_none_of_it_either() {
    let folder = Folder::new("canary-well");
    let (service_file, journal) = (folder.service_file(), folder.path("journal"));
    for transport in TRANSPORTS {
        // Another call by each: what is in doubt is not sent again.
        let data = format!(r#"{{"client_uuid":"{transport}","destination_identifier":"{CARD}"}}"#);
        let front = quoting(503, true);
        let codes = each_way(|| token(&front.url(), &["--transport", transport]));
        assert!(!codes.contains(&0), "{codes:?}");
        let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
        sandbox.settings_mut().agents = [(AGENT.to_owned(), CANARY.to_owned())].into();
        let front = Front::start(sandbox).unwrap();
        assert_eq!(each_way(|| token(&front.url(), &["--transport", transport])), [0; 4]);
        let flags =
            ["--transport", transport, "--service-file", &service_file, "--journal", &journal];
        assert_eq!(each_way(|| call(&front.url(), "daily-report", &flags[..4])), [0; 4]);
        let lost = quoting(503, false);
        let confirm = |url: &str| {
            let more = ["-d", &data, "--reference", transport];
            run(call(url, "confirm", &flags).args(more).env("IMTS_AGENT_SECRET", CANARY))
        };
        assert_eq!(confirm(&lost.url()).code, 6);
    }
    assert_eq!(each_way(|| imts(&["journal", "list", &journal])), [0; 4]);
    let resolve = ["journal", "resolve", &journal, "1", "--as", "done", "--reason", "asked"];
    assert_eq!(run(imts(&resolve).args(["--json", "-vv"])).code, 0);
    assert_eq!(each_way(|| imts(&["operations", "--service-file", &service_file])), [0; 4]);
    let written = std::fs::read_to_string(&journal).unwrap();
    assert_eq!(hunt().find(&written), [], "{written}");
}

/// Through a sign-in, refreshes, and a service that begins to quote.
#[test]
fn a_session_that_is_watched_tells_none_of_it() {
    let watch = |transport: &str, way: &[&str]| {
        let mut sandbox = Sandbox::default();
        let settings = sandbox.settings_mut();
        settings.agents = [(AGENT.to_owned(), CANARY.to_owned())].into();
        settings.access_lifetime = Duration::from_secs(2);
        settings.quote_secrets = true;
        let front = Front::start(sandbox).unwrap();
        let mut command = imts(&["watch", "--plain-http", "--base-url", &front.url()]);
        command.args(["--transport", transport]).args(way);
        command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", CANARY);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let child = command.spawn().unwrap();
        while front.sandbox().count(Operation::Refresh) == 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "no refresh comes");
            thread::sleep(Duration::from_millis(10));
        }
        front.sandbox().settings_mut().refuse_refresh = true;
        front.sandbox().settings_mut().agents.clear();
        let ran = ran(&command, child.wait_with_output().unwrap(), began);
        assert_eq!(ran.code, 3, "it ends where only other credentials help: {ran:?}");
        assert!(ran.out.contains("[redacted]") || ran.err.contains("[redacted]"), "{ran:?}");
    };
    thread::scope(|scope| {
        for (transport, way) in [("ureq", &["--json", "-vv"][..]), ("hyper-util", &["-vv"])] {
            scope.spawn(move || watch(transport, way));
        }
    });
}
