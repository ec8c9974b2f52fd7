//! No error prints a cause twice: neither in its own text, nor in the texts of what caused it.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use http::Request;
use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::proxy::Proxy;
use imts::secret::Body;
use imts::services::transfer::{Confirm, Status};
use imts::transport::Bounds;
use imts::{Evidence, Outcome, Policy, Service, TokenError, Transport, TransportError, services};
use serde_json::json;

use crate::raw::Raw;
use crate::tls::{Authority, Secure, Speaking, trusting};
use crate::{BOUNDS, Carrier, GRANT, Made, ok, plain};

/// What an error and its causes say, from the outermost one in.
fn texts(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next {
        texts.push(source.to_string());
        next = source.source();
    }
    texts
}

/// Each cause is said once in the texts of an error and its causes.
fn says_each_cause_once(what: &str, error: &dyn Error) {
    let texts = texts(error);
    let chain = texts.join(": ");
    let parts = chain.split([':', '(', ')', ';']).map(str::trim);
    let mut seen = BTreeSet::new();
    for part in parts.filter(|part| part.chars().any(char::is_alphabetic)) {
        assert!(seen.insert(part.to_owned()), "{what} says twice {part:?}: {texts:#?}");
    }
    assert!(!chain.contains("it broke"), "{what}: {chain}");
}

/// What a service may say, and the connection ends: in each of these no whole reply comes.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let chunked = format!("{json}transfer-encoding: chunked\r\n\r\n");
    [
        ("nothing", String::new()),
        ("half a head", json[..20].to_owned()),
        ("no head", "SSH-2.0 x\r\n\r\n".to_owned()),
        ("a version that is not known", "HTTP/9.9 200 OK\r\n\r\n".to_owned()),
        ("half a body", format!("{json}content-length: 99\r\n\r\n{{")),
        ("two lengths", format!("{json}content-length: 1\r\ncontent-length: 2\r\n\r\n{{}}")),
        ("a length that is not a number", format!("{json}content-length: x\r\n\r\n{{}}")),
        ("a bad chunk", format!("{chunked}1\r\n{{\r\nzz\r\n")),
        ("half a chunk", format!("{chunked}9\r\n{{")),
        ("another coding", format!("{json}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        ("an endless head", format!("{json}{}", "x: 0123456789\r\n".repeat(20_000))),
    ]
    .map(|(what, answer)| (what, answer.into_bytes()))
    .into()
}

#[test]
fn an_exchange_that_a_service_breaks_says_each_cause_once() {
    for (what, answer) in answers() {
        // hyper reads the chunks, and leaves the other coding as it is.
        let carriers = Carrier::each().into_iter();
        let carriers = carriers.filter(|it| !it.is_over_reqwest() || what != "another coding");
        for carrier in carriers {
            let service = Raw::saying(answer.clone());
            let failure = carrier.send(&service.url(), BOUNDS).unwrap_err();
            says_each_cause_once(&format!("{carrier:?}, {what}"), &failure);
        }
    }
    for bytes in [0, 30, 90] {
        for carrier in Carrier::each() {
            let answer = ok(GRANT).into_bytes();
            let service = Raw::start(move |line| {
                line.request();
                line.say(&answer[..bytes]);
                line.reset();
            });
            let failure = carrier.send(&service.url(), BOUNDS).unwrap_err();
            says_each_cause_once(&format!("{carrier:?}, a reset after {bytes} bytes"), &failure);
            let error = carrier.token(plain(&service.url())).unwrap_err();
            says_each_cause_once(&format!("{carrier:?}, a token after {bytes}"), &error);
        }
    }
    let silent = Raw::silent();
    let bounds = Bounds { time_limit: Duration::from_millis(50), ..BOUNDS };
    for carrier in Carrier::each() {
        let failure = carrier.send(&silent.url(), bounds).unwrap_err();
        says_each_cause_once(&format!("{carrier:?}, a silent service"), &failure);
    }
}

#[test]
fn a_connection_that_does_not_come_about_says_each_cause_once() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (authority, other) = (Authority::new("Private"), Authority::new("Other"));
    let curt = Raw::start(|_| {});
    let page = Raw::start(|line| {
        line.take(1);
        line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let (silent, short) = (Raw::silent(), Duration::from_millis(50));
    let secure = Secure::start(&other.server(), Speaking::default());
    let trusting = |connect_timeout| Made { connect_timeout, ..trusting(&authority) };
    let long = Duration::from_secs(20);
    for (what, url, timeout) in [
        ("a closed port", format!("http://{closed}/"), long),
        ("another machine in clear", "http://service.example/".to_owned(), long),
        ("a name that is not one", "https://service..example/".to_owned(), long),
        ("a host that does not exist", "https://nobody.invalid/".to_owned(), long),
        ("an unknown authority", format!("https://localhost:{}/", secure.raw.address.port()), long),
        ("a handshake that is cut", format!("https://{}/", curt.address), long),
        ("a service without TLS", format!("https://{}/", page.address), long),
        ("a silent handshake", format!("https://{}/", silent.address), short),
    ] {
        for carrier in Carrier::both(&trusting(timeout)) {
            let failure = carrier.send(&url, BOUNDS).unwrap_err();
            says_each_cause_once(&format!("{carrier:?}, {what}"), &failure);
        }
    }
    for carrier in Carrier::both(&Made { addresses: Some(Vec::new()), ..trusting(long) }) {
        let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
        says_each_cause_once(&format!("{carrier:?}, a host without addresses"), &failure);
    }
}

#[test]
fn a_proxy_that_opens_no_tunnel_says_each_cause_once() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resetting = || {
        Raw::start(|line| {
            line.request();
            line.reset();
        })
    };
    let mut proxies = vec![("a closed proxy", None, format!("http://{closed}"))];
    for (what, proxy) in [
        ("a proxy that hangs up", Raw::saying("")),
        ("a proxy that resets", resetting()),
        ("a proxy that wants a password", Raw::saying("HTTP/1.1 407 No\r\n\r\n")),
        ("a proxy that says 502", Raw::saying("HTTP/1.1 502 Bad Gateway\r\n\r\n")),
        ("a proxy that speaks otherwise", Raw::saying("SSH-2.0\r\n\r\n")),
    ] {
        let url = proxy.url();
        proxies.push((what, Some(proxy), url));
    }
    let curt = Raw::start(|_| {});
    let secure = curt.url().replace("http:", "https:");
    proxies.push(("a proxy whose handshake is cut", Some(curt), secure));
    for (what, _running, url) in &proxies {
        let given = Some(Proxy::new(url).unwrap());
        for carrier in Carrier::both(&Made { proxy: given, ..Made::default() }) {
            let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
            says_each_cause_once(&format!("{carrier:?}, {what}"), &failure);
        }
    }
}

fn known() -> Service {
    let mut operations = services::transfer::catalogue();
    for name in ["confirm", "status"] {
        let path = ServicePath::new(format!("/v5/partner/transfer/{name}")).unwrap();
        operations.set_path(name, path, Evidence::Assumed).unwrap();
    }
    services::transfer().with_operations(operations)
}

fn why<R: std::fmt::Debug>(outcome: Outcome<R>) -> Vec<Box<dyn Error>> {
    match outcome {
        Outcome::Unknown(unknown) => vec![Box::new(unknown.why().clone())],
        Outcome::Failed(failed) => vec![Box::new(failed.why().clone())],
        Outcome::Done(_) | Outcome::Refused(_) => Vec::new(),
    }
}

#[test]
fn a_call_that_brings_no_reply_says_each_cause_once() {
    let mut policy = Policy::default();
    policy.call_attempts = 1;
    let bodies: [&[u8]; 5] = [b"{", b"<html>", b"{\"state\":true}", b"\xff", b"{\"state\":0x10}"];
    let replies = bodies.map(|body| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        ("a reply that cannot be used", [head.as_bytes(), body].concat())
    });
    for (what, answer) in answers().into_iter().chain(replies) {
        for is_granted in [true, false] {
            for carrier in Carrier::each() {
                let answer = answer.clone();
                let service = Raw::start(move |line| {
                    loop {
                        let request = line.request();
                        let is_sign_in = String::from_utf8_lossy(&request).contains("agent/auth");
                        if is_granted && is_sign_in {
                            line.say(ok(GRANT).as_bytes());
                            continue;
                        }
                        line.say(&answer);
                        return;
                    }
                });
                let builder = plain(&service.url()).service(known()).policy(policy.clone());
                let client = carrier.client(builder);
                let body = json!({ "client_uuid": "17" });
                let faults = why(client.call(&Custom::<Confirm, _>::new(body.clone()))).into_iter();
                for fault in faults.chain(why(client.call(&Custom::<Status, _>::new(body)))) {
                    says_each_cause_once(&format!("{carrier:?}, {what}"), &*fault);
                }
            }
        }
    }
}

#[cfg(feature = "journal")]
#[test]
fn a_journal_that_takes_no_entry_says_each_cause_once() {
    let service = Raw::saying(ok(GRANT));
    for (number, carrier) in Carrier::each().into_iter().enumerate() {
        let name = format!("imts-causes-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let journal = imts::JournalFile::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let client = carrier.client(plain(&service.url()).service(known()).journal(journal));
        let body = json!({ "client_uuid": "17" });
        let outcome = client.call(&Custom::<Confirm, _>::new(body).with_reference("17"));
        let faults = why(outcome);
        assert_eq!(faults.len(), 1, "{carrier:?}: it is not sent");
        assert!(faults[0].to_string().contains("removed or replaced"), "{}", faults[0]);
        says_each_cause_once(&format!("{carrier:?}, a journal"), &*faults[0]);
    }
}

/// A transport of someone's own, whose error has a cause of its own and prints it, or does not.
struct Foreign {
    prints: bool,
}

#[derive(Debug)]
struct Outer(&'static str, Option<std::num::ParseIntError>);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|source| source as _)
    }
}

impl Transport for Foreign {
    fn send(&self, _: Request<Body>, _: Bounds) -> Result<http::Response<Vec<u8>>, TransportError> {
        let cause = "x".parse::<u8>().err();
        let outer = Outer("the cable is cut", cause.filter(|_| !self.prints));
        Err(TransportError::unknown().because(outer))
    }
}

#[test]
fn an_error_of_a_foreign_transport_is_printed_once_with_all_that_caused_it() {
    for prints in [false, true] {
        let client = plain("http://127.0.0.1:1").blocking(Foreign { prints }).unwrap();
        let errors: [TokenError; 2] = [client.token().unwrap_err(), client.token().unwrap_err()];
        for error in errors {
            says_each_cause_once("a foreign transport", &error);
            let all = texts(&error).join(": ");
            assert!(all.contains("the cable is cut"), "{all}");
            assert_eq!(all.contains("invalid digit"), !prints, "{all}");
        }
    }
}
