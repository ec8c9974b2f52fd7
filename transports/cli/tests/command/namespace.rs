//! A sandbox on another machine: a second network namespace, joined by a cable, with a name server of
//! the test's own. What is run here cannot reach any other network.
//!
//! The tests need a kernel that lets this user make namespaces, and the packages `util-linux` and
//! `iproute2`.

mod names;
mod net;

use std::env;
use std::process::Command;

use self::net::{Net, PORT, PRIVATE, PUBLIC};
use crate::{AGENT, Ran, SECRET, TRANSPORTS, imts, run};

const HOST: &str = "sandbox.internal";
const ULA: &str = "fd00:77::2";
const LINK_LOCAL: &str = "169.254.169.254";

/// Runs a test of this file again, as root of new namespaces, and does `inside` there.
fn in_namespaces(test: &str, inside: impl FnOnce(&Net)) {
    const INSIDE: &str = "IMTS_TEST_IN_NAMESPACES";
    if env::var_os(INSIDE).is_some() {
        return inside(&Net::new());
    }
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--net", "--mount", "--"]);
    again.arg(env::current_exe().unwrap()).args(["--exact", &format!("namespace::{test}")]);
    let output = again.arg("--nocapture").env(INSIDE, "1").output().expect(NEEDED);
    let (out, err) = (output.stdout, output.stderr);
    let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
    assert!(!err.starts_with("unshare:"), "{err}{NEEDED}");
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

const NEEDED: &str = "the tests in network namespaces need unshare (Debian: apt-get install util-linux), ip \
                      (iproute2), and a kernel that lets this user make namespaces";

/// `imts token` for the sandbox by its name.
fn token(transport: &str, more: &[&str]) -> Command {
    let url = format!("http://{HOST}:{PORT}");
    let mut command = imts(&["token", "--json", "--timeout", "20s", "--transport", transport]);
    command.args(["--base-url", &url]).args(more);
    command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command
}

const NAMED: [&str; 2] = ["--plain-http-host", HOST];

#[track_caller]
fn is_refused(ran: &Ran, kind: &str, code: i32, why: &str) {
    assert_eq!((ran.error().0.as_str(), ran.code), (kind, code), "{ran:?}");
    let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(why), "{why}: {message}");
}

#[test]
fn a_sandbox_elsewhere_is_reached_by_the_name_that_was_given_and_warns_that_it_can_be() {
    let test = "a_sandbox_elsewhere_is_reached_by_the_name_that_was_given_and_warns_that_it_can_be";
    in_namespaces(test, |net| {
        let sandbox = net.sandbox(&["--host", "::"]);
        for address in [PRIVATE, ULA] {
            net.add(address);
            net.names.set(HOST, &[address]);
            for transport in TRANSPORTS {
                let before = net.requests(PRIVATE);
                assert_eq!(run(&mut token(transport, &NAMED)).code, 0, "{transport}, {address}");
                let mut by_variable = token(transport, &[]);
                let ran = run(by_variable.env("IMTS_PLAIN_HTTP_HOST", "Sandbox.Internal\n"));
                assert_eq!(ran.code, 0, "{transport}, {address}: {ran:?}");
                let named = run(&mut token(transport, &["--plain-http-host", "sandbox"]));
                is_refused(&named, "endpoint", 2, "name the URL's host exactly");
                is_refused(&run(&mut token(transport, &[])), "endpoint", 2, "use https");
                assert_eq!(net.requests(PRIVATE), before + 2, "{transport}, {address}");
            }
        }
        let said = sandbox.end();
        assert!(said.contains("warning: anyone who reaches"), "{said}");
    });
}

#[test]
fn a_sandbox_is_not_reached_from_elsewhere_unless_it_is_asked_for() {
    in_namespaces("a_sandbox_is_not_reached_from_elsewhere_unless_it_is_asked_for", |net| {
        let sandbox = net.sandbox(&[]);
        net.names.set(HOST, &[PRIVATE]);
        for transport in TRANSPORTS {
            is_refused(&run(&mut token(transport, &NAMED)), "transport", 5, "refused");
        }
        let said = sandbox.end();
        assert!(!said.contains("warning"), "{said}");
    });
}

#[test]
fn a_name_with_an_address_that_is_not_private_gets_no_secret_though_a_sandbox_answers_there() {
    let test =
        "a_name_with_an_address_that_is_not_private_gets_no_secret_though_a_sandbox_answers_there";
    in_namespaces(test, |net| {
        let _sandbox = net.sandbox(&["--host", "::"]);
        for address in [PUBLIC, LINK_LOCAL] {
            net.add(address);
            assert!(net.requests(address) == 0, "a sandbox answers there");
        }
        let mapped = format!("::ffff:{PUBLIC}");
        for (addresses, outside) in [
            (&[PUBLIC][..], PUBLIC),
            (&[PRIVATE, PUBLIC], PUBLIC),
            (&[PUBLIC, PRIVATE], PUBLIC),
            (&[PRIVATE, &mapped], &mapped),
            (&[LINK_LOCAL], LINK_LOCAL),
        ] {
            net.names.set(HOST, addresses);
            for transport in TRANSPORTS {
                let ran = run(&mut token(transport, &NAMED));
                is_refused(&ran, "transport", 5, "loopback or private addresses only");
                let message = ran.json()["error"]["message"].to_string();
                assert!(message.contains(outside), "{addresses:?}: {message}");
            }
        }
        assert_eq!(net.requests(PRIVATE), 0, "nothing was sent");
    });
}

#[test]
fn plain_http_to_a_named_host_goes_through_no_proxy() {
    in_namespaces("plain_http_to_a_named_host_goes_through_no_proxy", |net| {
        let _sandbox = net.sandbox(&["--host", "0.0.0.0"]);
        net.names.set(HOST, &[PRIVATE]);
        for transport in TRANSPORTS {
            let by_proxy = || {
                let mut command = token(transport, &NAMED);
                command.args(["--proxy", "env"]);
                command.env("HTTPS_PROXY", format!("http://{PRIVATE}:{PORT}"));
                command
            };
            let before = net.requests(PRIVATE);
            is_refused(&run(&mut by_proxy()), "transport", 5, "does not go through a proxy");
            assert_eq!(net.requests(PRIVATE), before, "{transport}");
            let ran = run(by_proxy().env("NO_PROXY", HOST));
            assert_eq!(ran.code, 0, "{transport}: {ran:?}");
            assert_eq!(net.requests(PRIVATE), before + 1, "{transport}");
        }
    });
}
