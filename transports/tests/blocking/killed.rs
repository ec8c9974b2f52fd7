//! A process that is killed right after its grant was saved.

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use imts::{Builder, Credentials, Endpoint, Policy, Saved, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Operation, Rotation, Sandbox};

const CHILD_URL: &str = "IMTS_TEST_CHILD_URL";
const CHILD_FILE: &str = "IMTS_TEST_CHILD_FILE";

fn builder(url: &str) -> Builder {
    let mut policy = Policy::default();
    policy.margin_percent = 10;
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .policy(policy)
}

/// Runs in a process of its own: dies in the hook, as soon as its second grant is saved.
#[test]
fn child() {
    let (Ok(url), Ok(file)) = (env::var(CHILD_URL), env::var(CHILD_FILE)) else { return };
    let client = builder(&url)
        .on_grant(move |saved| {
            let (half, whole) = (format!("{file}.half"), &file);
            fs::write(&half, &*saved.to_json())?;
            fs::rename(&half, whole)?;
            if saved.generation() == 3 {
                std::process::abort();
            }
            Ok(())
        })
        .blocking(UreqTransport::new().unwrap())
        .unwrap();
    for _ in 0..1_000 {
        drop(client.token());
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the child outlived its second grant");
}

#[test]
fn a_process_killed_right_after_on_grant_restores_its_session_and_uses_the_new_tokens() {
    let mut sandbox = Sandbox::default();
    sandbox.settings_mut().rotation = Rotation::ReuseRevokesFamily;
    sandbox.settings_mut().access_lifetime = Duration::from_secs(2);
    let front = Front::start(sandbox).unwrap();
    let file = env::temp_dir().join(format!("imts-killed-{}", std::process::id()));
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::child"])
        .env(CHILD_URL, front.url())
        .env(CHILD_FILE, &file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let saved = Saved::from_json(&bytes).unwrap();
    assert_eq!((saved.generation(), saved.is_in_doubt()), (3, false));
    let calls = front.log().len();
    front.sandbox().settings_mut().access_lifetime = Duration::from_secs(900);

    let client =
        builder(&front.url()).restore(saved).blocking(UreqTransport::new().unwrap()).unwrap();
    client.token_valid_for(Duration::from_millis(1)).unwrap();
    thread::sleep(Duration::from_secs(2));
    client.token().unwrap();
    let after: Vec<_> = front.log()[calls..].iter().map(|e| (e.operation, e.status)).collect();
    assert_eq!(after, [(Operation::Refresh, 200)], "the new refresh token is used, once");
    assert_eq!(front.sandbox().counters().refresh_reuse, 0);
}
