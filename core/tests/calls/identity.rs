//! Which calls are the same, however their service and their reference are spelled.

use imts_core::journal::{Digest, Intent, IntentKey, Scope};

use crate::support::START;

const URL: &str = "https://service.example/confirm";

fn key(url: &str, agent: &str, reference: &str) -> IntentKey {
    let intent = Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope { url: url.to_owned(), agent: agent.to_owned() }),
        reference: Some(reference.to_owned()),
        digest: Digest(1),
        meaning: None,
        at: START.wall,
        despite: None,
    };
    intent.key()
}

#[test]
fn a_service_is_one_however_its_host_is_spelled() {
    for (one, other) in [
        (URL, "https://service.example./confirm"),
        (URL, "https://SERVICE.example/confirm"),
        ("https://service.example:8443/x", "https://service.example.:8443/x"),
        ("https://[::1]:8443/x", "https://[0:0:0:0:0:0:0:1]:8443/x"),
        ("https://[2001:db8::a]/x", "https://[2001:0DB8:0::A]/x"),
    ] {
        assert_eq!(key(one, "a", "17"), key(other, "a", "17"), "{other}");
    }
}

#[test]
fn another_host_port_path_scheme_or_agent_is_another_intent() {
    let ours = key(URL, "a", "17");
    for other in [
        "https://service.example.evil/confirm",
        "https://service.example:8443/confirm",
        "https://service.example/confirm/",
        "https://service.example/Confirm",
        "https://service.example/confirm.",
        "https://service.example..//confirm",
        "http://service.example/confirm",
        "https://[::1]/confirm",
    ] {
        assert_ne!(ours, key(other, "a", "17"), "{other}");
    }
    for agent in ["A", "", "a ", "b"] {
        assert_ne!(ours, key(URL, agent, "17"), "{agent}");
    }
}

#[test]
fn a_reference_is_one_whatever_white_space_is_around_it_and_a_uuid_in_either_case() {
    let uuid = "6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c";
    for (one, other) in [
        ("17", " 17"),
        ("17", "17\n"),
        ("a b", "\u{a0}a b\t"),
        (uuid, "6F1A2B3C-0D4E-4F5A-8B6C-7D8E9F0A1B2C"),
        (uuid, " 6f1a2b3C-0d4e-4f5a-8b6c-7d8e9f0a1b2c"),
    ] {
        assert_eq!(key(URL, "a", one), key(URL, "a", other), "{other:?}");
    }
    for (one, other) in [
        ("17", "017"),
        ("17", "17.0"),
        ("a b", "a  b"),
        ("aB", "ab"),
        ("17", "1 7"),
        ("17", "17\0"),
        ("ab-cd", "AB-CD"),
        ("\u{e9}", "e\u{301}"),
        ("6f1a2b3c0d4e4f5a8b6c7d8e9f0a1b2c", "6F1A2B3C0D4E4F5A8B6C7D8E9F0A1B2C"),
    ] {
        assert_ne!(key(URL, "a", one), key(URL, "a", other), "{one:?} {other:?}");
    }
}
