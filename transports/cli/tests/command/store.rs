//! A session that processes share in a file: who signs in, what is reported, what is shown of it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use imts_sandbox::{Front, Operation, Sandbox};

use crate::{AGENT, Folder, TRANSPORTS, call, imts, run, token};

fn front() -> Front {
    Front::start(Sandbox::with_service_file(crate::SERVICE_FILE).unwrap()).unwrap()
}

/// A folder that a store accepts, and the store's address in it.
fn place(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o700)).unwrap();
    let store = format!("file:{}", folder.path("session"));
    (folder, store)
}

/// `imts store` for the sandbox's agent.
pub(crate) fn store_of(front: &Front, what: &str, store: &str, more: &[&str]) -> Command {
    let url = front.url();
    let mut command = imts(&["store", what, "--plain-http", "--base-url", &url]);
    command.args(["--agent-id", AGENT, "--store", store]).args(more);
    command
}

fn sign_ins(front: &Front) -> usize {
    front.sandbox().count(Operation::GetToken)
}

#[test]
fn one_process_signs_in_and_the_next_one_finds_its_token() {
    for transport in TRANSPORTS {
        let (front, (_folder, store)) = (front(), place(&format!("store-{transport}")));
        let flags = ["--json", "--show", "--store", &store, "--transport", transport];
        let runs = [(); 2].map(|()| run(&mut token(&front.url(), &flags)));
        assert!(runs.iter().all(|ran| (ran.code, ran.err.as_str()) == (0, "")), "{runs:?}");
        let [first, second] = runs.map(|ran| ran.json());
        assert_eq!(first["access_token"], second["access_token"]);
        assert_eq!(
            (&first["store"]["kind"], &first["store"]["outcome"]),
            (&"file".into(), &"renewed".into())
        );
        assert_eq!(second["store"]["outcome"], "found");
        assert_eq!(first["store"]["generation"], second["store"]["generation"]);
        let ages = [&first, &second].map(|it| it["store"]["age_s"].as_f64().unwrap());
        assert!(ages[0] <= ages[1] + 1.0 && ages[1] < 60.0, "{ages:?}");
        assert_eq!(sign_ins(&front), 1, "{transport}");
    }
}

#[test]
fn every_command_with_a_token_uses_the_store() {
    let (front, (folder, store)) = (front(), place("store-commands"));
    let flags = ["--store", &store];
    assert_eq!(run(&mut token(&front.url(), &flags)).code, 0);
    let service_file = folder.service_file();
    let of_file = ["--store", &store, "--service-file", &service_file];
    let report = run(&mut call(&front.url(), "daily-report", &of_file));
    assert_eq!(report.code, 0, "{report:?}");
    let mut exec = imts(&["exec", "--plain-http", "--base-url", &front.url(), "--store", &store]);
    exec.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", crate::SECRET);
    let ran = run(exec.env("IMTS_STORE_PASSWORD", "unused").args([
        "--",
        "sh",
        "-c",
        "env; wc -c </dev/fd/3",
    ]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.out.contains("IMTS_STORE_PASSWORD"), "{ran:?}");
    let by_variable = run(token(&front.url(), &["--json"]).env("IMTS_STORE", &store));
    assert_eq!(by_variable.json()["store"]["outcome"], "found");
    assert_eq!(sign_ins(&front), 1);
}

#[test]
fn show_says_what_is_there_and_never_a_token() {
    let (front, (_folder, store)) = (front(), place("store-show"));
    let show = |more: &[&str]| run(&mut store_of(&front, "show", &store, more));
    let empty = show(&[]);
    assert!(empty.code == 0 && empty.out.contains("nothing is stored"), "{empty:?}");
    assert_eq!(run(&mut token(&front.url(), &["--store", &store])).code, 0);
    let shown = show(&[]);
    for text in
        ["  session        valid; generation ", "access token   until ", "refresh token  until "]
    {
        assert!(shown.out.contains(text), "{shown:?}");
    }
    let entry = show(&["--json"]);
    assert!(!(shown.out + &entry.out).contains("eyJ"), "{entry:?}");
    let entry = entry.json();
    assert_eq!(
        (&entry["phase"], &entry["held"], &entry["in_doubt"]),
        (&"valid".into(), &serde_json::Value::Null, &false.into())
    );
    assert_eq!(entry["holder"].as_str().unwrap().len(), 16);
    assert!((800.0..=900.0).contains(&entry["remaining_s"].as_f64().unwrap()), "{entry}");
    assert_eq!(front.log().len(), 1, "the service gets no request");
}

#[test]
fn forget_empties_the_entry_and_the_next_process_signs_in() {
    let (front, (_folder, store)) = (front(), place("store-forget"));
    let flags = ["--json", "--store", &store];
    assert_eq!(run(&mut token(&front.url(), &flags)).code, 0);
    let forgotten = run(&mut store_of(&front, "forget", &store, &["--json"]));
    assert_eq!(
        (forgotten.code, &forgotten.json()["forgotten"]),
        (0, &true.into()),
        "{forgotten:?}"
    );
    let shown = run(&mut store_of(&front, "show", &store, &["--json"])).json();
    assert_eq!(shown["phase"], serde_json::Value::Null);
    assert_eq!(run(&mut token(&front.url(), &flags)).json()["store"]["outcome"], "renewed");
    assert_eq!(sign_ins(&front), 2);
}

#[test]
fn a_store_that_is_out_is_one_line_and_the_exit_code_stays() {
    let front = front();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let store = format!("redis://127.0.0.1:{port}");
    let ran = run(&mut token(&front.url(), &["--json", "--store", &store]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["store"]["outcome"], "alone");
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert!(ran.err.contains("This command signed in by itself"), "{ran:?}");
    let refused = token(&front.url(), &["--store", &store])
        .env("IMTS_AGENT_SECRET", "wrong")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let shown = run(&mut store_of(&front, "show", &store, &["--json"]));
    assert_eq!((shown.code, shown.error().0.as_str()), (5, "transport"), "{shown:?}");
}

#[test]
fn a_password_in_the_address_is_a_mistake_that_is_not_repeated() {
    let front = front();
    for store in ["rediss://imts:zq7x-canary@host.example", "redis://:zq7x-canary@127.0.0.1"] {
        for ran in [
            run(&mut token(&front.url(), &["--store", store])),
            run(token(&front.url(), &[]).env("IMTS_STORE", store)),
        ] {
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(
                ran.err.contains("--store-password-file") && !ran.err.contains("zq7x"),
                "{ran:?}"
            );
        }
    }
    assert!(front.log().is_empty());
}

#[test]
fn a_sealed_store_holds_no_token_in_clear_and_opens_by_its_key_alone() {
    let (front, (folder, store)) = (front(), place("store-sealed"));
    let key = |name: &str, letter: &str| folder.write(name, letter.repeat(43) + "=\n");
    let (own, other) = (key("own", "A"), key("other", "E"));
    let with = |key: &str| {
        run(&mut token(&front.url(), &["--json", "--store", &store, "--store-key-file", key]))
    };
    assert_eq!(with(&own).json()["store"]["outcome"], "renewed");
    assert_eq!(with(&own).json()["store"]["outcome"], "found");
    let kept = fs::read(folder.path("session")).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("eyJ"));
    let alone = with(&other);
    assert_eq!((alone.code, &alone.json()["store"]["outcome"]), (0, &"alone".into()), "{alone:?}");
    assert_eq!(fs::read(folder.path("session")).unwrap(), kept, "it is not overwritten");
    let shown = run(&mut store_of(&front, "show", &store, &["--store-key-file", &other]));
    assert!(shown.code == 2 && shown.err.contains("--store-key-file"), "{shown:?}");
    let both = folder.write("both", "E".repeat(43) + "=\n" + &"A".repeat(43) + "=\n");
    assert_eq!(with(&both).json()["store"]["outcome"], "found", "an old key decrypts");
}

#[test]
fn a_store_of_another_agent_is_left_alone() {
    let (front, (folder, store)) = (front(), place("store-foreign"));
    assert_eq!(run(&mut token(&front.url(), &["--store", &store])).code, 0);
    let kept = fs::read(folder.path("session")).unwrap();
    let mut other = token(&front.url(), &["--store", &store]);
    let ran = run(other.env("IMTS_AGENT_ID", "another-agent"));
    assert_eq!(ran.code, 3, "the sandbox does not know it: {ran:?}");
    assert!(ran.err.contains("another endpoint or agent"), "{ran:?}");
    assert_eq!(fs::read(folder.path("session")).unwrap(), kept);
}

#[test]
fn a_file_that_others_can_read_is_refused_before_anything_is_sent() {
    let (front, (folder, store)) = (front(), place("store-mode"));
    let file = folder.write("session", "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run(&mut token(&front.url(), &["--store", &store]));
    assert!(ran.code == 2 && ran.err.contains("others could read"), "{ran:?}");
    assert!(front.log().is_empty());
}

#[test]
fn processes_of_a_store_share_a_back_off_and_no_store_goes_past_it() {
    let (front, (_folder, store)) = (front(), place("store-back-off"));
    let flags = ["--json", "--store", &store];
    let wrong = run(token(&front.url(), &flags).env("IMTS_AGENT_SECRET", "wrong"));
    assert_eq!(wrong.code, 3, "{wrong:?}");
    let next = run(&mut token(&front.url(), &flags));
    assert_eq!((next.code, next.error()), (5, ("transport".into(), "retry".into())), "{next:?}");
    assert!(next.out.contains("--no-store"), "{next:?}");
    let shown = run(&mut store_of(&front, "show", &store, &["--json"])).json();
    assert_eq!(shown["held"]["resting"], true, "{shown}");
    assert_eq!(sign_ins(&front), 1, "no request was made");
    assert_eq!(run(token(&front.url(), &flags).arg("--no-store")).code, 0);
}
