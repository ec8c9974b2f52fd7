//! The command's words: what caused a failure is printed once.

use std::collections::BTreeSet;
use std::net::TcpListener;

use imts_sandbox::{Break, Delivery, Fault, Front, Position, Rule, Sandbox};

use crate::{Folder, Ran, SERVICE_FILE, TRANSPORTS, call, run, token};

/// Each part of the error's text is said once: for people, and for scripts.
fn says_each_cause_once(what: &str, ran: &Ran) {
    let json = ran.out.contains("\"error\"");
    let message = match json {
        true => ran.json()["error"]["message"].as_str().unwrap().to_owned(),
        false => {
            let line = ran.err.lines().find_map(|line| line.strip_prefix("error: "));
            line.unwrap_or_else(|| panic!("{what}: {ran:?}")).to_owned()
        }
    };
    let mut seen = BTreeSet::new();
    for part in message.split([':', '(', ')', ';']).map(str::trim) {
        let is_said = part.chars().any(char::is_alphabetic);
        assert!(!is_said || seen.insert(part), "{what} says twice {part:?}: {message}");
    }
    assert!(!message.contains("it broke"), "{what}: {message}");
}

#[test]
fn what_caused_a_failure_is_printed_once() {
    let folder = Folder::new("causes");
    let service = folder.service_file();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let deliveries = [
        Delivery::Closed,
        Delivery::Reset,
        Delivery::CutAfter(20),
        Delivery::ResetAfter(120),
        Delivery::BadChunk,
        Delivery::Broken { at: Position::MidBody, by: Break::Reset },
    ];
    for transport in TRANSPORTS {
        for json in [&["--json"][..], &[]] {
            let more = [&["--transport", transport], json].concat();
            says_each_cause_once("a closed port", &run(&mut token(&closed, &more)));
            for delivery in deliveries {
                for operation in ["get-token", "confirm"] {
                    let what = format!("{transport}, {operation}, {delivery:?}");
                    let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
                    let fault = Fault::Delivery(delivery);
                    sandbox.set_faults(vec![Rule::always(operation.parse().unwrap(), fault)]);
                    let front = Front::start(sandbox).unwrap();
                    let more =
                        [&more[..], &["--service-file", &service, "-d", r#"{"client_uuid":"17"}"#]]
                            .concat();
                    let ran = run(&mut call(&front.url(), "confirm", &more));
                    assert!(matches!(ran.code, 5 | 6), "{what}: {ran:?}");
                    says_each_cause_once(&what, &ran);
                }
            }
        }
    }
}
