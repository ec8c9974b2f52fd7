//! A journal that processes share in a PostgreSQL server: the same texts and exit codes as over a file.

use std::process::Command;

use imts_sandbox::{Front, Position, Sandbox};

use crate::servers::Postgres;
use crate::{Folder, Ran, SERVICE_FILE, call, faulty, imts, lost, run};

/// Not a password that a test may find by chance.
const PASSWORD: &str = "zq7x-journal-canary";

/// A server, and the folder with the service file.
struct Shared {
    server: Postgres,
    folder: Folder,
}

impl Shared {
    fn new(name: &str, settings: &[&str]) -> Self {
        Self { server: Postgres::start_with(settings), folder: Folder::new(name) }
    }

    fn url(&self) -> String {
        self.server.address()
    }

    fn journal(&self, args: &[&str]) -> Command {
        let mut command = imts(&["journal", args[0], &self.url()]);
        command.args(&args[1..]).env("USER", "someone");
        command
    }

    fn migrated(self) -> Self {
        let ran = run(&mut self.journal(&["migrate"]));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        self
    }

    /// One call that moves money.
    fn confirm(&self, url: &str, reference: &str) -> Command {
        let service_file = self.folder.service_file();
        let mut command = call(url, "confirm", &["--service-file", &service_file, "--json"]);
        command.args(["--journal", &self.url(), "--reference", reference]);
        command
    }
}

fn sandbox() -> Front {
    Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap()
}

fn kind(ran: &Ran) -> (i32, String) {
    (ran.code, ran.error().0)
}

#[test]
fn an_intent_is_sent_once_whichever_process_asks() {
    let shared = Shared::new("shared-once", &[]).migrated();
    let front = sandbox();
    assert_eq!(run(&mut shared.confirm(&front.url(), "17")).code, 0);
    let again = run(&mut shared.confirm(&front.url(), "17"));
    assert_eq!(kind(&again), (8, "already_done".into()), "{again:?}");
    assert!(again.out.contains(&format!("imts journal list {}", shared.url())), "{again:?}");
    let other = run(shared.confirm(&front.url(), "17").args(["-d", "a=b"]));
    assert_eq!(kind(&other), (9, "conflict".into()), "{other:?}");
    let all = run(&mut shared.journal(&["list", "--all", "--json"])).json();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["state"]), (1, &"done".into()), "{all}");
}

#[test]
fn a_call_in_doubt_is_listed_resolved_and_then_done() {
    let shared = Shared::new("shared-doubt", &[]).migrated();
    let broken = faulty("confirm", lost(Position::AfterApply));
    let unknown = run(shared.confirm(&broken.url(), "17").args(["--timeout", "3s"]));
    assert_eq!(unknown.code, 6, "{unknown:?}");
    assert!(unknown.out.contains(&format!("imts journal list {}", shared.url())), "{unknown:?}");
    let front = broken;
    front.sandbox().set_faults(Vec::new());
    let again = run(&mut shared.confirm(&front.url(), "17"));
    assert_eq!(kind(&again), (7, "in_doubt".into()), "{again:?}");
    let listed = run(&mut shared.journal(&["list"]));
    assert!(listed.out.contains("confirm  reference 17  sent "), "{listed:?}");
    assert!(listed.out.contains("1 in doubt. Ask the service"), "{listed:?}");
    let id = run(&mut shared.journal(&["list", "--json"])).json()[0]["id"].to_string();
    let wrong = run(&mut shared.journal(&["resolve", "999", "--as", "done"]));
    assert!(wrong.code == 2 && wrong.err.contains("has no call 999; see: "), "{wrong:?}");
    let resolved = run(&mut shared.journal(&["resolve", &id, "--as", "refused", "--json"]));
    assert_eq!((resolved.code, &resolved.json()["state"]), (0, &"refused".into()), "{resolved:?}");
    assert_eq!(resolved.json()["resolution"]["by"], "someone");
    assert_eq!(run(&mut shared.confirm(&front.url(), "17")).code, 0);
}

#[test]
fn reconcile_records_what_a_command_finds_out() {
    let shared = Shared::new("shared-reconcile", &[]).migrated();
    let broken = faulty("confirm", lost(Position::AfterApply));
    for reference in ["17", "18"] {
        let mut confirm = shared.confirm(&broken.url(), reference);
        assert_eq!(run(confirm.args(["--timeout", "3s"])).code, 6);
    }
    let ask = "grep -q '\"17\"' && echo done || echo unknown";
    let reconcile = ["reconcile", "--with", ask, "--pause", "0s", "--json"];
    let ran = run(&mut shared.journal(&reconcile));
    assert_eq!(kind(&ran), (7, "in_doubt".into()), "{ran:?}");
    assert_eq!(ran.json()["error"]["in_doubt"], 1);
    let left = run(&mut shared.journal(&["list", "--json"])).json();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["reference"]), (1, &"18".into()));
}

#[test]
fn an_error_says_what_to_do_and_nothing_is_sent() {
    let front = sandbox();
    let mut shared = Shared::new("shared-errors", &["synchronous_commit=off"]);
    let confirm = |shared: &Shared| run(&mut shared.confirm(&front.url(), "17"));
    let says = |ran: &Ran, code: i32, texts: &[&str]| {
        assert_eq!(ran.code, code, "{ran:?}");
        for text in texts {
            assert!(ran.out.contains(text), "{text}: {ran:?}");
        }
    };
    says(&confirm(&shared), 2, &["no tables for it", "imts journal migrate postgres://"]);
    shared = shared.migrated();
    let again = run(&mut shared.journal(&["migrate"]));
    assert!(again.out.contains("have version 1 already"), "{again:?}");
    says(&confirm(&shared), 2, &["synchronous_commit is off", "Set synchronous_commit to `on`"]);
    shared.server.stop(crate::servers::Stop::Fast);
    says(&confirm(&shared), 5, &["\"transport\"", "Nothing was sent", "that the server runs"]);
    shared.server.set(&[]);
    shared.server.run();
    shared.server.sql("UPDATE imts_journal SET version = 99");
    says(&confirm(&shared), 2, &["version 99", "newer version of this program"]);
    assert!(front.log().is_empty(), "{:?}", front.log());
}

#[test]
fn after_a_failover_nothing_is_sent_until_the_journal_is_accepted() {
    let front = sandbox();
    let mut shared = Shared::new("shared-failover", &[]).migrated();
    assert_eq!(run(&mut shared.confirm(&front.url(), "17")).code, 0);
    let standby = shared.server.standby();
    shared.server.stop(crate::servers::Stop::Fast);
    standby.promote();
    shared.server = standby;
    let moved = run(&mut shared.confirm(&front.url(), "18"));
    assert!(moved.code == 2 && moved.out.contains("imts journal accept postgres://"), "{moved:?}");
    let accepted = run(&mut shared.journal(&["accept", "--reason", "asked the service", "--json"]));
    assert_eq!((accepted.code, &accepted.json()["in_doubt"]), (0, &0.into()), "{accepted:?}");
    assert_eq!(run(&mut shared.confirm(&front.url(), "18")).code, 0);
}

#[test]
fn its_password_comes_from_a_file_or_a_variable_and_never_from_the_address() {
    let shared = Shared::new("shared-password", &[]).migrated();
    shared.server.ask_for_password(PASSWORD);
    let file = shared.folder.write("password", format!("{PASSWORD}\n"));
    let list = |more: &[&str]| {
        let mut command = shared.journal(&["list"]);
        command.args(more);
        command
    };
    assert_eq!(run(list(&[]).env("IMTS_JOURNAL_PASSWORD", PASSWORD)).code, 0);
    assert_eq!(run(&mut list(&["--journal-password-file", &file])).code, 0);
    let wrong = run(list(&[]).env("IMTS_JOURNAL_PASSWORD", "wrong"));
    assert!(wrong.code == 2 && wrong.err.contains("IMTS_JOURNAL_PASSWORD"), "{wrong:?}");
    let inside = shared.url().replace("payer@", &format!("payer:{PASSWORD}@"));
    for ran in [
        run(&mut imts(&["journal", "list", &inside])),
        run(imts(&["config", "show"]).env("IMTS_JOURNAL", &inside)),
    ] {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("--journal-password-file"), "{ran:?}");
        assert!(!ran.err.contains(PASSWORD) && !ran.out.contains(PASSWORD), "{ran:?}");
    }
}
