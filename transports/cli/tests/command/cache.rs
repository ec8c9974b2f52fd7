//! The session that is cached for a profile: for whom, where, and how it is left out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use imts_sandbox::{Front, Operation, Sandbox};

use crate::profiles::{Profiles, sandbox_profile};
use crate::{SECRET, imts, run};

/// A profile of a sandbox, and a state folder of its own.
struct Cached {
    front: Front,
    profiles: Profiles,
}

impl Cached {
    fn new(name: &str) -> Self {
        let front = Front::start(Sandbox::default()).unwrap();
        let text = format!("[profile.test]\n{}", sandbox_profile(&front.url()));
        let profiles = Profiles::new(name, text);
        Self { front, profiles }
    }

    fn imts(&self, args: &[&str]) -> Command {
        let mut command = self.profiles.imts(args);
        command.env_remove("IMTS_NO_STORE").env("XDG_STATE_HOME", self.state());
        command.env("IMTS_AGENT_SECRET", SECRET);
        command
    }

    fn token(&self) -> Command {
        self.imts(&["token", "--json", "--profile", "test"])
    }

    fn state(&self) -> PathBuf {
        PathBuf::from(self.profiles.0.path("state"))
    }

    fn files(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.state().join("imts/sessions")).into_iter().flatten();
        let all = all.map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_none()).collect()
    }

    fn sign_ins(&self) -> usize {
        self.front.sandbox().count(Operation::GetToken)
    }
}

#[test]
fn a_profiles_session_is_cached_in_a_file_of_the_users_own() {
    let cached = Cached::new("cache");
    for outcome in ["renewed", "found", "found"] {
        let ran = run(&mut cached.token());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        let store = &ran.json()["store"];
        assert_eq!((&store["kind"], &store["outcome"]), (&"cache".into(), &outcome.into()));
    }
    assert_eq!(cached.sign_ins(), 1);
    let files = cached.files();
    assert_eq!(files.len(), 1, "{files:?}");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&files[0]), mode(files[0].parent().unwrap())), (0o600, 0o700));
    let ran = run(&mut cached.imts(&["store", "forget", "--profile", "test"]));
    assert!(ran.code == 0 && ran.out.contains("forgotten"), "{ran:?}");
    assert_eq!(run(&mut cached.token()).json()["store"]["outcome"], "renewed");
}

#[test]
fn each_agent_and_each_base_url_has_a_session_of_its_own() {
    let cached = Cached::new("cache-each");
    cached.front.sandbox().settings_mut().agents.insert("other".into(), SECRET.into());
    assert_eq!(run(&mut cached.token()).code, 0);
    let other = run(cached.token().args(["--agent-id", "other"]));
    assert_eq!(other.json()["store"]["outcome"], "renewed");
    assert_eq!((cached.files().len(), cached.sign_ins()), (2, 2));
}

#[test]
fn no_store_turns_it_off_and_without_a_profile_nothing_is_cached() {
    let cached = Cached::new("cache-off");
    let ran = run(cached.token().arg("--no-store"));
    assert_eq!((ran.code, &ran.json()["store"]), (0, &serde_json::Value::Null));
    assert_eq!(run(cached.token().env("IMTS_NO_STORE", "1")).code, 0);
    let url = cached.front.url();
    let mut without = imts(&["token", "--plain-http", "--base-url", &url]);
    without.env("XDG_STATE_HOME", cached.state());
    without.env("IMTS_AGENT_ID", crate::AGENT).env("IMTS_AGENT_SECRET", SECRET);
    assert_eq!(run(&mut without).code, 0);
    assert!(!cached.state().exists());
    assert_eq!(cached.sign_ins(), 3);
}

#[test]
fn a_cache_that_cannot_be_used_is_a_line_and_no_failure() {
    let cached = Cached::new("cache-bad");
    let ran = run(cached.token().env("XDG_STATE_HOME", "/dev/null/state"));
    assert_eq!((ran.code, &ran.json()["store"]), (0, &serde_json::Value::Null), "{ran:?}");
    assert!(
        ran.err.starts_with("the session is not cached: ") && ran.err.lines().count() == 1,
        "{ran:?}"
    );
}

#[test]
fn a_refused_secret_can_be_corrected_at_once() {
    let cached = Cached::new("cache-secret");
    for _ in 0..2 {
        assert_eq!(run(cached.token().env("IMTS_AGENT_SECRET", "wrong")).code, 3);
    }
    let ran = run(&mut cached.token());
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn config_shows_where_it_is() {
    let cached = Cached::new("cache-shown");
    let ran = run(&mut cached.imts(&["config", "show", "--profile", "test"]));
    let line = ran.out.lines().find(|line| line.starts_with("store ")).unwrap();
    assert!(line.contains("(cached session) file:") && line.contains("/imts/sessions/"), "{line}");
    let checked = run(&mut cached.imts(&["config", "check", "--profile", "test"]));
    assert!(checked.code == 0 && checked.out.contains("nothing is stored"), "{checked:?}");
}
