//! A proxy is used when it is given, for other machines alone, and never because of the
//! environment.

use std::process::Command;
use std::time::Duration;

use imts::proxy::{Proxy, ProxyError};
use imts::text::TextError;

use crate::raw::Raw;
use crate::{BOUNDS, Carrier, GRANT, Made, ok, plain};

/// Refuses every tunnel.
fn refusing() -> Raw {
    Raw::saying("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
}

fn through(proxy: &str, connect_timeout: Duration) -> [Carrier; 2] {
    let proxy = Some(Proxy::new(proxy).unwrap());
    Carrier::both(&Made { proxy, connect_timeout, ..Made::default() })
}

#[test]
fn loopback_never_goes_through_a_proxy() {
    let (trap, service) = (refusing(), Raw::saying(ok(GRANT)));
    let curt = Raw::start(|_| {});
    for carrier in through(&trap.url(), Duration::from_secs(20)) {
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{}", service.address.port());
            carrier.token(plain(&url)).unwrap();
        }
        carrier.send(&format!("https://{}/", curt.address), BOUNDS).unwrap_err();
    }
    assert_eq!((trap.connections(), service.connections(), curt.connections()), (0, 4, 2));
}

#[test]
fn other_machines_are_reached_by_a_tunnel_and_a_refused_one_is_not_sent() {
    for nth in [0, 1] {
        let proxy = refusing();
        let given = proxy.url().replace("http://", "http://user:pass%20word@");
        let carrier = &through(&given, Duration::from_secs(20))[nth];
        let failure = carrier.send("https://service.example/path", BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("proxy authorization required"), "{failure}");
        let told = format!("{failure:?} {failure}");
        assert!(!["pass%20", "pass word", "dXNlcj"].iter().any(|it| told.contains(it)), "{told}");
        let heard = proxy.heard();
        assert!(heard.starts_with("CONNECT service.example:443 HTTP/1.1\r\n"), "{heard}");
        assert!(heard.contains("Host: service.example:443\r\n"), "{heard}");
        let authorization = "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n";
        assert!(heard.contains(authorization), "{heard}");
        assert!(!heard.contains("/path") && !heard.contains("secret"), "{heard}");
    }
}

#[test]
fn a_proxy_that_does_not_open_a_tunnel_is_not_sent() {
    let flood = format!("HTTP/1.1 200 OK\r\n{}", "x-flood: 0123456789\r\n".repeat(10_000));
    for (answer, words) in [
        ("", "end of file"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "it answered 502"),
        ("HTTP/1.1 302 Found\r\n\r\n", "it answered 302"),
        (&flood, "is not HTTP: its head has no end"),
    ] {
        let proxy = Raw::saying(answer);
        for carrier in through(&proxy.url(), Duration::from_secs(20)) {
            let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
            assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
            let text = failure.to_string();
            assert!(text.contains("the proxy did not open a connection"), "{carrier:?}: {text}");
            assert!(text.contains(words), "{carrier:?}: {text}, not {words}");
        }
        assert!(!proxy.heard().contains("secret"));
    }
}

/// The proxy keeps the connection open: an error that waits for more would be a timeout.
#[test]
fn an_odd_answer_of_a_proxy_is_an_error_at_once_that_says_what_came() {
    for (answer, words) in [
        ("HTTP/1.1 200 OK\n\n", r#"a bare line feed in "HTTP/1.1 200 OK\n""#),
        ("HTTP/1.1 200 OK\r\nvia: x\n\n", "a bare line feed"),
        ("HTTP/1.1 200 OK\r\r", "a bare carriage return"),
        ("SSH-2.0-OpenSSH\r\n", r#"it begins with "SSH-2.0-OpenSSH\r\n""#),
        ("HTTP/2 200 OK\r\n\r\n", r#"it begins with "HTTP/2 200 OK\r\n""#),
        ("http/1.1 200 OK\r\n\r\n", r#"it begins with "http/1.1 200 OK\r\n""#),
        ("HTTP/1.1 OK\r\n", r#"its status line cannot be read: "HTTP/1.1 OK\r\n""#),
        ("\u{15}\u{3}\u{3}\0\u{2}\u{2}(", "This is TLS: is the proxy's URL https?"),
    ] {
        let proxy = Raw::start(move |line| {
            line.request();
            line.say(answer.as_bytes());
            line.listen();
        });
        for carrier in through(&proxy.url(), Duration::from_secs(600)) {
            let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
            assert!(failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
            let text = failure.to_string();
            assert!(text.contains("is not HTTP") && text.contains(words), "{carrier:?}: {text}");
        }
    }
}

#[test]
fn an_interim_response_of_a_proxy_is_skipped() {
    let proxy = Raw::saying(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
    );
    for carrier in through(&proxy.url(), Duration::from_secs(20)) {
        let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
        assert!(failure.to_string().contains("it answered 502"), "{carrier:?}: {failure}");
    }
}

#[test]
fn a_proxy_that_never_answers_is_within_the_connect_timeout() {
    let silent = Raw::silent();
    for scheme in ["http", "https"] {
        let proxy = silent.url().replace("http:", &format!("{scheme}:"));
        for carrier in through(&proxy, Duration::from_millis(200)) {
            let failure = carrier.send("https://service.example/", BOUNDS).unwrap_err();
            assert!(failure.is_not_sent() && failure.is_timed_out(), "{carrier:?}: {failure}");
        }
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_not_passed_over() {
    for url in [
        "",
        "socks5://127.0.0.1:1080",
        "ftp://127.0.0.1:21",
        "http://",
        "http://127.0.0.1",
        "http://:3128",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:3128/path",
        "http://127.0.0.1:3128?query",
        "http://user:%zz@127.0.0.1:3128",
        "127.0.0.1:3128",
        "not a url",
        "/path",
    ] {
        assert_eq!(Proxy::new(url).unwrap_err(), ProxyError::Malformed, "{url:?}");
    }
    let proxy = Proxy::new("http://user:secret@127.0.0.1:3128").unwrap();
    assert!(!format!("{proxy:?}").contains("secret"));
}

const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// Tells the process that a test started from the one that starts it.
const INSIDE: &str = "IMTS_TEST_INSIDE";

/// Runs a test again in a process whose environment names a proxy.
fn again_with_a_proxy(test: &str, proxy: &str, exceptions: &str) {
    again_with(test, &VARIABLES.map(|name| (name, proxy)), exceptions);
}

/// Runs a test again in a process whose environment has these proxies and no other.
fn again_with(test: &str, proxies: &[(&str, &str)], exceptions: &str) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &format!("proxies::{test}"), "--nocapture"]).env(INSIDE, "1");
    for name in VARIABLES {
        again.env_remove(name);
    }
    again.env_remove("no_proxy").envs(proxies.iter().copied());
    let output = again.env("NO_PROXY", exceptions).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
fn the_environment_is_not_read_unless_asked() {
    if std::env::var_os(INSIDE).is_none() {
        let trap = refusing();
        again_with_a_proxy("the_environment_is_not_read_unless_asked", &trap.url(), "");
        return assert_eq!(trap.connections(), 2, "met once by each that was given it");
    }
    let service = Raw::saying(ok(GRANT));
    for carrier in Carrier::each() {
        carrier.token(plain(&service.url())).unwrap();
        let failure = carrier.send("https://imts.invalid/", BOUNDS).unwrap_err().to_string();
        assert!(!failure.contains("proxy"), "{carrier:?}: {failure}");
    }
    let proxy = Some(Proxy::from_env().unwrap().expect("the environment names one"));
    for carrier in Carrier::both(&Made { proxy, ..Made::default() }) {
        let failure = carrier.send("https://imts.invalid/", BOUNDS).unwrap_err().to_string();
        assert!(failure.contains("proxy"), "{carrier:?}: {failure}");
    }
}

#[test]
fn what_the_environment_excepts_does_not_go_through_its_proxy() {
    if std::env::var_os(INSIDE).is_none() {
        let (trap, test) =
            (refusing(), "what_the_environment_excepts_does_not_go_through_its_proxy");
        for exceptions in ["other.example,invalid", "other.example\timts.invalid:443\n"] {
            again_with_a_proxy(test, &trap.url(), exceptions);
        }
        return assert_eq!(trap.connections(), 0);
    }
    let proxy = Some(Proxy::from_env().unwrap().expect("the environment names one"));
    for carrier in Carrier::both(&Made { proxy, ..Made::default() }) {
        let failure = carrier.send("https://imts.invalid/", BOUNDS).unwrap_err().to_string();
        assert!(!failure.contains("proxy"), "{carrier:?}: {failure}");
    }
}

#[test]
fn an_exception_for_another_port_changes_nothing_and_a_line_break_ends_a_variable() {
    const TEST: &str =
        "an_exception_for_another_port_changes_nothing_and_a_line_break_ends_a_variable";
    if std::env::var_os(INSIDE).is_none() {
        let trap = refusing();
        again_with_a_proxy(TEST, &format!("\u{feff}{}\r\n", trap.url()), "imts.invalid:8443");
        return assert_eq!(trap.connections(), 2, "met once by each");
    }
    let proxy = Some(Proxy::from_env().unwrap().expect("the environment names one"));
    for carrier in Carrier::both(&Made { proxy, ..Made::default() }) {
        let failure = carrier.send("https://imts.invalid/", BOUNDS).unwrap_err().to_string();
        assert!(failure.contains("proxy"), "{carrier:?}: {failure}");
    }
}

#[test]
fn the_variable_for_https_goes_before_the_one_for_all_and_an_empty_one_is_none() {
    const TEST: &str =
        "the_variable_for_https_goes_before_the_one_for_all_and_an_empty_one_is_none";
    if std::env::var_os(INSIDE).is_some() {
        let proxy = Some(Proxy::from_env().unwrap().expect("the environment names one"));
        for carrier in Carrier::both(&Made { proxy, ..Made::default() }) {
            let failure = carrier.send("https://imts.invalid/", BOUNDS).unwrap_err().to_string();
            assert!(failure.contains("proxy"), "{carrier:?}: {failure}");
        }
        return;
    }
    let (first, other) = (refusing(), refusing());
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    for (place, name) in names.iter().enumerate() {
        let (one, two) = (first.url(), other.url());
        // Those before it are empty, those after it name another.
        let before = names[..place].iter().map(|name| (*name, ""));
        let after = names[place + 1..].iter().map(|name| (*name, two.as_str()));
        let proxies: Vec<_> = before.chain([(*name, one.as_str())]).chain(after).collect();
        again_with(TEST, &proxies, "");
        assert_eq!((first.connections(), other.connections()), (2 * (place + 1), 0), "{name}");
    }
}

#[test]
fn a_variable_that_is_not_text_is_an_error_that_names_it() {
    const TEST: &str = "a_variable_that_is_not_text_is_an_error_that_names_it";
    let (odd, good) = ("http://127.0.0.1:1/\u{7}", "http://127.0.0.1:1");
    let bell = TextError::Invisible { line: 1, character: '\u{7}' };
    if std::env::var_os(INSIDE).is_none() {
        again_with(TEST, &[("https_proxy", odd)], "");
        again_with(TEST, &[("ALL_PROXY", " ")], "");
        return again_with(TEST, &[("HTTPS_PROXY", good)], "host\u{7}.example");
    }
    let error = Proxy::from_env().unwrap_err();
    let expected = if std::env::var_os("https_proxy").is_some() {
        ProxyError::Variable("https_proxy", bell)
    } else if std::env::var_os("ALL_PROXY").is_some() {
        ProxyError::Variable("ALL_PROXY", TextError::Blank)
    } else {
        ProxyError::Variable("NO_PROXY", bell)
    };
    assert_eq!(error, expected);
}
