//! A proxy is used when it is given, for other machines alone, and never because of the
//! environment.

use std::process::Command;
use std::time::Duration;

use imts::{AsyncTransport, HyperBuilder, Proxy, ProxyError};

use crate::{BOUNDS, GRANT, Raw, builder, client, hyper, ok, post};

/// Says no to whoever asks for a tunnel.
async fn refusing() -> Raw {
    Raw::saying("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await
}

#[tokio::test]
async fn loopback_never_goes_through_a_proxy() {
    let (trap, service) = (refusing().await, Raw::saying(ok(GRANT)).await);
    let proxy = Proxy::new(&trap.url()).unwrap();
    let transport = hyper().connect_timeout(Duration::from_millis(200)).proxy(proxy).build();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}", service.address.port());
        let client = builder(&url).nonblocking(transport.clone()).unwrap();
        client.token().await.unwrap();
    }
    let tls = post(&format!("https://{}/", service.address));
    transport.send(tls, BOUNDS).await.unwrap_err();
    assert_eq!((trap.connections(), service.connections()), (0, 3));
}

#[tokio::test]
async fn other_machines_are_reached_by_a_tunnel_and_a_refused_one_is_not_sent() {
    let proxy = refusing().await;
    let given = proxy.url().replace("http://", "http://user:pass%20word@");
    let transport = hyper().proxy(Proxy::new(&given).unwrap()).build();
    let failure = transport.send(post("https://service.example/path"), BOUNDS).await.unwrap_err();
    assert!(failure.is_not_sent(), "{failure}");
    assert!(failure.to_string().contains("proxy"), "{failure}");
    assert!(!format!("{failure:?} {failure}").contains("pass"), "{failure:?}");
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT service.example:443 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"), "{heard}");
    assert!(!heard.contains("/path"));
}

#[tokio::test]
async fn a_proxy_that_never_answers_is_within_the_connect_timeout() {
    let silent = Raw::start(|mut line| async move {
        line.request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let proxy = Proxy::new(&silent.url()).unwrap();
    let transport = hyper().connect_timeout(Duration::from_millis(100)).proxy(proxy).build();
    let failure = transport.send(post("https://service.example/"), BOUNDS).await.unwrap_err();
    assert!(failure.is_not_sent() && failure.is_timed_out(), "{failure}");
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_not_passed_over() {
    for url in ["", "socks5://127.0.0.1:1080", "ftp://127.0.0.1", "http://", "not a url", "/path"] {
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
fn again_with_a_proxy(test: &str, proxy: &str) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &format!("proxies::{test}"), "--nocapture"]).env(INSIDE, "1");
    for name in VARIABLES {
        again.env(name, proxy);
    }
    assert!(again.env("NO_PROXY", "").status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_is_not_read_unless_asked() {
    if std::env::var_os(INSIDE).is_none() {
        let trap = refusing().await;
        let url = trap.url();
        let again = || again_with_a_proxy("the_environment_is_not_read_unless_asked", &url);
        tokio::task::block_in_place(again);
        return assert_eq!(trap.connections(), 1, "met once, when it was asked for");
    }
    let service = Raw::saying(ok(GRANT)).await;
    client(&service.url()).token().await.unwrap();
    let failure = reach_out(hyper()).await;
    assert!(!failure.contains("proxy"), "{failure}");
    let asked = Proxy::from_env().unwrap().expect("the environment names one");
    let failure = reach_out(hyper().proxy(asked)).await;
    assert!(failure.contains("proxy"), "{failure}");
}

/// Why another machine cannot be reached.
async fn reach_out(builder: HyperBuilder) -> String {
    let transport = builder.connect_timeout(Duration::from_secs(2)).build();
    transport.send(post("https://imts.invalid/"), BOUNDS).await.unwrap_err().to_string()
}
