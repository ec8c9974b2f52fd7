//! The same intent is not sent twice: what a journal holds stands in its way, whatever its bytes.

use imts::JournalFile;
use imts::call::Ending;
use imts::journal::CallState;
use imts::journal::{Digest, Entry, Intent, Journal, Scope};
use imts::time::Wall;
use imts_sandbox::{Delivery, Fault, Front, Position, Rule, Sandbox};

use crate::{AGENT, Folder, Ran, SERVICE_FILE, TRANSPORTS, call, imts, run};

const BODY: &str = r#"{"client_uuid":"41","x":1}"#;

/// The same with its keys swapped, and with one more space.
const SAME: [&str; 2] = [r#"{"x":1,"client_uuid":"41"}"#, r#"{"client_uuid": "41","x":1}"#];

/// Another request under the same name.
const OTHER: &str = r#"{"client_uuid":"41","x":2}"#;

fn front() -> Front {
    Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap()
}

fn lose(front: &Front) {
    let fault = Fault::Delivery(Delivery::Broken {
        at: Position::AfterApply,
        by: imts_sandbox::Break::Reset,
    });
    front.sandbox().set_faults(vec![
        Rule::always("confirm".parse().unwrap(), fault.clone()),
        Rule::always("create_transfer".parse().unwrap(), fault),
    ]);
}

fn seen(front: &Front) -> usize {
    let sandbox = front.sandbox();
    ["confirm", "create_transfer"].map(|name| sandbox.count(name.parse().unwrap())).iter().sum()
}

/// Sends, by a service file whose confirm has this field for its reference.
struct Sending<'a> {
    front: &'a Front,
    folder: &'a Folder,
    transport: &'a str,
    journal: String,
}

impl Sending<'_> {
    fn send(&self, operation: &str, data: &str, more: &[&str]) -> Ran {
        let service = self.folder.service_file();
        let flags =
            ["--service-file", &service, "--transport", self.transport, "--json", "-d", data];
        let mut command = call(&self.front.url(), operation, &flags);
        run(command.args(["--journal", &self.journal]).args(more))
    }
}

fn assert_error(ran: &Ran, kind: &str, recovery: &str, code: i32) {
    assert_eq!(ran.error(), (kind.into(), recovery.into()), "{ran:?}");
    assert_eq!(ran.code, code, "{ran:?}");
    assert!(ran.out.contains("nothing was sent"), "{ran:?}");
}

/// A journal with one call in this state.
fn journal(path: &str, front: &Front, state: CallState) {
    let mut journal = JournalFile::open(path).unwrap();
    let at = Wall::from_unix_micros(1_753_269_451_577_745);
    let intent = Intent {
        operation: "confirm".to_owned(),
        scope: Some(Scope {
            url: format!("{}/v5/partner/transfer/confirm-example", front.url()),
            agent: AGENT.to_owned(),
        }),
        reference: Some("41".to_owned()),
        digest: Digest::of(BODY.as_bytes()),
        meaning: Some(Digest::of_meaning(BODY.as_bytes())),
        at,
        despite: None,
    };
    let id = journal.record(&Entry::Intent(intent)).unwrap();
    if state == CallState::Intended {
        return;
    }
    journal.record(&Entry::Sending { id, at, until: None }).unwrap();
    let ending = match state {
        CallState::Done => Ending::Done,
        CallState::Refused => Ending::Refused,
        CallState::NotSent => Ending::NotSent,
        CallState::InDoubt | CallState::Intended => Ending::Unknown,
    };
    journal.record(&Entry::Ended { id, at, ending }).unwrap();
}

#[test]
fn each_state_of_an_earlier_call_lets_the_same_and_another_body_pass_or_not() {
    use CallState as S;
    let folder = Folder::new("intent-table");
    for transport in TRANSPORTS {
        for (state, same, other) in [
            (S::Intended, None, None),
            (S::InDoubt, Some(("in_doubt", "resolve", 7)), Some(("conflict", "fix", 9))),
            (S::Done, Some(("already_done", "fix", 8)), Some(("conflict", "fix", 9))),
            (S::Refused, None, None),
            (S::NotSent, None, None),
        ] {
            for (data, expected) in [(BODY, same), (SAME[0], same), (SAME[1], same), (OTHER, other)]
            {
                let front = front();
                let path = folder.path("journal");
                journal(&path, &front, state);
                let sending =
                    Sending { front: &front, folder: &folder, transport, journal: path.clone() };
                let ran = sending.send("confirm", data, &["--reference", "41"]);
                match expected {
                    Some((kind, recovery, code)) => {
                        assert_error(&ran, kind, recovery, code);
                        assert_eq!(ran.json()["error"]["journal_id"], 1);
                        assert_eq!(ran.json()["error"]["reference"], "41");
                    }
                    None => assert_eq!(ran.code, 0, "{state:?}: {ran:?}"),
                }
                let sent = usize::from(expected.is_none());
                assert_eq!(seen(&front), sent, "{transport}: {state:?} {data}");
                if expected.is_some() {
                    assert!(front.log().is_empty(), "nobody signed in");
                }
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

#[test]
fn what_was_done_is_not_sent_again_and_neither_is_what_was_resolved_as_done() {
    let folder = Folder::new("intent-done");
    for transport in TRANSPORTS {
        let front = front();
        let journal = folder.path(transport);
        let sending = Sending { front: &front, folder: &folder, transport, journal };
        let uuid =
            |last: u8| format!(r#"{{"client_uuid":"6f1a2b3c-0d4e-4f5a-8b6c-7d8e9f0a1b2{last}"}}"#);
        assert_eq!(sending.send("create-transfer", &uuid(1), &[]).code, 0);
        assert_error(&sending.send("create-transfer", &uuid(1), &[]), "already_done", "fix", 8);
        lose(&front);
        let lost = sending.send("create-transfer", &uuid(2), &[]);
        assert_eq!((lost.code, seen(&front)), (6, 2), "{lost:?}");
        let resolve = ["journal", "resolve", &sending.journal, "2", "--as", "done"];
        assert_eq!(run(&mut imts(&resolve)).code, 0);
        front.sandbox().set_faults(Vec::new());
        assert_error(&sending.send("create-transfer", &uuid(2), &[]), "already_done", "fix", 8);
        assert_eq!((seen(&front), front.sandbox().ledger().applied_twice().count()), (2, 0));
    }
}

#[test]
fn what_is_in_doubt_is_not_sent_again_in_other_bytes_however_often_it_is_tried() {
    let folder = Folder::new("intent-bytes");
    let field = format!("{SERVICE_FILE}[operation.payout]\npath = \"/x\"\n");
    let field =
        field.replace("confirm-example\"", "confirm-example\"\nreference_field = \"client_uuid\"");
    folder.write("service.toml", field);
    for transport in TRANSPORTS {
        for reference in [&["--reference", "41"][..], &[]] {
            let front = front();
            let journal = folder.path(&format!("{transport}-{}", reference.len()));
            let sending = Sending { front: &front, folder: &folder, transport, journal };
            lose(&front);
            assert_eq!(sending.send("confirm", BODY, reference).code, 6);
            assert_error(&sending.send("confirm", BODY, reference), "in_doubt", "resolve", 7);
            front.sandbox().set_faults(Vec::new());
            for data in SAME.into_iter().chain([BODY]) {
                assert_error(&sending.send("confirm", data, reference), "in_doubt", "resolve", 7);
            }
            assert_error(&sending.send("confirm", OTHER, reference), "conflict", "fix", 9);
            assert_eq!(seen(&front), 1);
            assert_eq!(front.sandbox().ledger().applied("confirm".parse().unwrap(), "41"), 1);
        }
    }
}

#[test]
fn with_a_journal_what_creates_or_moves_needs_a_reference_and_what_reads_does_not() {
    let folder = Folder::new("intent-none");
    let front = front();
    let journal = folder.path("journal");
    let sending =
        Sending { front: &front, folder: &folder, transport: "ureq", journal: journal.clone() };
    for (operation, data, more) in [
        ("confirm", BODY, &[][..]),
        ("create-person", "{}", &["--path", "/x"]),
        ("create-transfer", r#"{"x":1}"#, &[]),
        ("create-transfer", r#"{"client_uuid":null}"#, &[]),
        ("create-transfer", r#"{"client_uuid":1.5}"#, &[]),
    ] {
        assert_error(&sending.send(operation, data, more), "no_reference", "fix", 11);
        let service = folder.service_file();
        let flags = ["--service-file", &service, "-d", data, "--journal", &journal];
        let people = run(call(&front.url(), operation, &flags).args(more));
        assert!(people.err.contains("reference_field"), "{people:?}");
        assert!(people.err.contains("--reference ID"), "{people:?}");
    }
    let blank = sending.send("confirm", BODY, &["--reference", " "]);
    assert_eq!((blank.code, blank.error().0.as_str()), (2, "usage"), "{blank:?}");
    assert!(front.log().is_empty(), "nobody signed in");
    assert_eq!(sending.send("daily-report", "{}", &[]).code, 0);
    // A whole number names it too, though this service refuses one.
    let refused = sending.send("create-transfer", r#"{"client_uuid":41}"#, &[]);
    assert_eq!((refused.code, &refused.json()["error"]["reference"]), (3, &"41".into()));
}

#[test]
fn another_name_for_the_same_path_is_the_same_operation() {
    let folder = Folder::new("intent-names");
    let front = front();
    let journal = folder.path("journal");
    let sending = Sending { front: &front, folder: &folder, transport: "ureq", journal };
    assert_eq!(sending.send("confirm", BODY, &["--reference", "41"]).code, 0);
    let path = ["--path", "/v5/partner/transfer/confirm-example", "--reference", "41"];
    assert_error(&sending.send("payout", BODY, &path), "already_done", "fix", 8);
    let path = ["--path", "/v5/partner/transfer/create-example", "--reference", "41"];
    assert_eq!(sending.send("payout", BODY, &path).code, 0, "another path is another operation");
}
