//! Any requests to the sandbox: the service and the control interface.
//!
//! An input is text: requests with a line `---` in between. A request is a line `METHOD PATH`, headers,
//! an empty line, the body; a line `+SECONDS` before it lets time pass. `$A` and `$R` stand for the
//! last access token and the last refresh token that was granted, `$Q` for the one before.
//!
//! What begins with `=` is a list of what clients do, a line each: `a` signs in, `r` refreshes, `q` with
//! the token before, `e` calls; `s` changes settings to the rest of the line, `v` revokes what it says,
//! `x` resets, `l` reads the log, `+` lets seconds pass.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, ECHO_PATH, Entry, GET_TOKEN_PATH, REFRESH_PATH, Sandbox, Time,
    Verdict,
};
use serde_json::{Value, json};

use crate::{Ran, Target};

/// This target.
pub const TARGET: Target =
    Target { name: "sandbox_request", goal: "a refresh, or a call with a granted token", run };

const START: i64 = 1_753_269_451_577_745;
/// The most requests of one input.
const MOST: usize = 24;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let text = String::from_utf8_lossy(data);
    let mut world = World {
        service: Sandbox::default(),
        now: Time::from_micros(START),
        access: String::new(),
        refresh: String::new(),
        before: String::new(),
    };
    let steps = text.strip_prefix('=');
    let parts: Vec<_> = match steps {
        Some(steps) => steps.split('\n').filter_map(spelled).take(MOST).collect(),
        None => text.split("---\n").take(MOST).map(str::to_owned).collect(),
    };
    for part in parts {
        if let Some(request) = world.request(&part) {
            world.handle(&request);
        }
    }
    let deepest = |entry: &Entry| {
        matches!(entry.verdict, Verdict::Refreshed | Verdict::RefreshedAgain | Verdict::Echoed)
    };
    Ran { structured: steps.is_some(), deepest: world.service.log().iter().any(deepest) }
}

/// A client's step as a request.
fn spelled(step: &str) -> Option<String> {
    let post = |path: &str, more: &str, body: &str| {
        format!("POST {path}\ncontent-type: application/json{more}\n\n{body}")
    };
    let letter = step.chars().next()?;
    let rest = step.get(letter.len_utf8()..)?;
    Some(match letter {
        'a' => {
            let secret = if rest.is_empty() { DEFAULT_SECRET } else { rest };
            let body = json!({ "agent_id": DEFAULT_AGENT, "agent_secret": secret });
            post(GET_TOKEN_PATH, "", &body.to_string())
        }
        'r' => post(REFRESH_PATH, "", r#"{"refresh_token":"$R"}"#),
        'q' => post(REFRESH_PATH, "", r#"{"refresh_token":"$Q"}"#),
        'e' => post(ECHO_PATH, "\nauthorization: Bearer $A", &json!({ "said": rest }).to_string()),
        's' => post("/_sandbox/settings", "", rest),
        'v' => post("/_sandbox/revoke", "", rest),
        'x' => post("/_sandbox/reset", "", "{}"),
        'l' => format!("GET /_sandbox/log?since={rest}"),
        '+' => format!("{step}\nGET /_sandbox"),
        _ => return None,
    })
}

struct World {
    service: Sandbox,
    now: Time,
    access: String,
    refresh: String,
    before: String,
}

impl World {
    fn request(&mut self, text: &str) -> Option<Request<Vec<u8>>> {
        let mut text = text;
        if let Some((seconds, rest)) = text.strip_prefix('+').and_then(|text| text.split_once('\n'))
        {
            let seconds: i64 = seconds.parse().ok()?;
            self.now = self.now.shifted(seconds.saturating_mul(1_000_000));
            text = rest;
        }
        let text = text.replace("$A", &self.access).replace("$R", &self.refresh);
        let text = text.replace("$Q", &self.before);
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.split('\n');
        let (method, path) = lines.next()?.split_once(' ')?;
        let mut request = Request::new(body.trim_end_matches('\n').as_bytes().to_vec());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
        *request.uri_mut() = Uri::try_from(path).ok()?;
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(value.trim().as_bytes()).ok()?;
            request.headers_mut().try_append(name, value).ok()?;
        }
        Some(request)
    }

    fn handle(&mut self, request: &Request<Vec<u8>>) {
        let path = request.uri().path();
        if path != ECHO_PATH && (path == "/_sandbox" || path.starts_with("/_sandbox/")) {
            let before = self.service.clone();
            let response = self.service.handle(self.now, request);
            self.check_control(&before, request, &response);
        } else {
            let logged = self.service.log().len();
            let response = self.service.handle(self.now, request);
            assert_eq!(self.service.log().len(), logged + 1, "one entry a request");
            self.check_entry(&response);
            self.learn(&response);
        }
        self.check_ledger();
    }

    /// The control interface leaves no trace in the log, answers in JSON, and shows no secret.
    fn check_control(
        &self,
        before: &Sandbox,
        request: &Request<Vec<u8>>,
        response: &Response<Vec<u8>>,
    ) {
        let (method, path) = (request.method(), request.uri().path());
        let is_reset = method == Method::POST && path == "/_sandbox/reset";
        let expected = if is_reset { &[][..] } else { before.log() };
        assert_eq!(self.service.log(), expected);
        assert!(matches!(response.status().as_u16(), 200 | 400 | 404));
        let body: Value = serde_json::from_slice(response.body()).expect("a JSON body");
        assert_eq!(body.get("error").is_some(), response.status() != 200, "{body}");
        if method == Method::GET {
            let body = body.to_string();
            let secrets = [DEFAULT_SECRET, &self.access, &self.refresh];
            // A fault may have put a word in a token's place.
            for secret in secrets.iter().filter(|secret| secret.len() >= DEFAULT_SECRET.len()) {
                assert!(!body.contains(*secret), "a secret through the control interface");
            }
        }
        if response.status() != 200 {
            let [old, new] = [before, &self.service].map(|service| format!("{service:?}"));
            assert_eq!(old, new, "what is refused changes nothing");
        }
    }

    /// What is logged is what was answered.
    fn check_entry(&self, response: &Response<Vec<u8>>) {
        let entries = self.service.log();
        let entry = entries.last().expect("an entry");
        assert!(entries.iter().zip(1..).all(|(entry, number)| entry.number == number));
        assert_eq!(entry.status, response.status().as_u16());
        assert_eq!(entry.at_us, self.now.micros());
        let given = matches!(
            entry.verdict,
            Verdict::Granted | Verdict::Refreshed | Verdict::RefreshedAgain | Verdict::Echoed
        );
        match entry.verdict {
            Verdict::Outage | Verdict::Faulted => {}
            verdict if given => assert_eq!(entry.status, 200, "{verdict:?}"),
            verdict => assert!((400..500).contains(&entry.status), "{verdict:?}"),
        }
        if entry.verdict != Verdict::Faulted {
            let evidence = &response.headers()["x-sandbox-evidence"];
            assert_eq!(evidence == "published", entry.verdict == Verdict::Granted);
        }
    }

    /// The counters say what the log says.
    fn check_ledger(&self) {
        let count = |wanted: &[Verdict]| {
            let entries = self.service.log().iter();
            entries.filter(|entry| wanted.contains(&entry.verdict)).count() as u64
        };
        let counters = self.service.counters();
        let grants = [Verdict::Granted, Verdict::Refreshed, Verdict::RefreshedAgain];
        assert_eq!(counters.grants, count(&grants), "grants");
        let reuse = [Verdict::ReusedRefreshToken, Verdict::RefreshedAgain];
        assert_eq!(counters.refresh_reuse, count(&reuse), "reuse");
        assert_eq!(counters.expired_bearers, count(&[Verdict::ExpiredBearer]), "expired bearers");
    }

    /// Takes tokens out of a grant, and holds a grant to what it must be.
    fn learn(&mut self, response: &Response<Vec<u8>>) {
        let Ok(body) = serde_json::from_slice::<Value>(response.body()) else { return };
        let payload = &body["payload"];
        if let Some(token) = payload["access_token"].as_str() {
            let is_plain = self.service.settings().faults.is_empty();
            assert!(!is_plain || token != self.access, "one token, granted twice");
            token.clone_into(&mut self.access);
        }
        if let Some(token) = payload["refresh_token"].as_str() {
            self.before = std::mem::replace(&mut self.refresh, token.to_owned());
        }
    }
}
