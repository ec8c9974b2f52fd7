//! Settings from options, variables and a profile: which comes first, and what the command shows of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use imts_sandbox::{Front, Sandbox};
use serde_json::Value;

use crate::{AGENT, Folder, Ran, SECRET, SERVICE_FILE, TRANSPORTS, imts, run};

/// A folder of settings as a person has it: only its owner can write it.
pub(crate) struct Profiles(pub(crate) Folder);

impl Profiles {
    pub(crate) fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = Folder::new(&format!("profiles-{name}"));
        fs::create_dir_all(folder.path("imts")).unwrap();
        let profiles = Self(folder);
        profiles.write(text);
        for (path, mode) in [("", 0o700), ("imts", 0o700), ("imts/config.toml", 0o600)] {
            profiles.mode(path, mode);
        }
        profiles
    }

    pub(crate) fn write(&self, text: impl AsRef<[u8]>) {
        self.0.write("imts/config.toml", text);
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.0.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn file(&self) -> String {
        self.0.path("imts/config.toml")
    }

    /// The command with these profiles.
    pub(crate) fn imts(&self, args: &[&str]) -> Command {
        let mut command = imts(args);
        command.env("XDG_CONFIG_HOME", self.0.path("")).env("IMTS_NO_STORE", "true");
        command
    }

    /// What `imts config show` says, by the names of the settings.
    fn shown(&self, command: &mut Command) -> BTreeMap<String, Value> {
        let ran = run(command.args(["config", "show", "--json"]));
        assert_eq!(ran.code, 0, "{ran:?}");
        let settings = ran.json()["settings"].as_array().unwrap().clone();
        let name = |setting: &Value| setting["setting"].as_str().unwrap().to_owned();
        settings.into_iter().map(|setting| (name(&setting), setting)).collect()
    }
}

/// The settings of a profile that signs in at a sandbox.
pub(crate) fn sandbox_profile(url: &str) -> String {
    format!("base_url = \"{url}\"\nplain_http = true\nagent_id = \"{AGENT}\"\n")
}

/// Each setting: its key, and a value of the option, of the variable and of the profile. What is given or
/// not has no value as an option.
const SETTINGS: [(&str, &str, &str, &str); 17] = [
    (
        "base_url",
        "https://option.example",
        "https://variable.example",
        "\"https://profile.example\"",
    ),
    ("plain_http", "", "false", "true"),
    ("plain_http_host", "option", "variable", "\"profile\""),
    ("agent_id", "option", "variable", "\"profile\""),
    ("service_file", "/option", "/variable", "\"/profile\""),
    ("journal", "/option", "/variable", "\"/profile\""),
    ("journal_password_file", "/option", "/variable", "\"/profile\""),
    ("store", "file:/option", "redis://127.0.0.1:1", "\"file:/profile\""),
    ("no_store", "", "false", "true"),
    ("store_password_file", "/option", "/variable", "\"/profile\""),
    ("store_key_file", "/option", "/variable", "\"/profile\""),
    ("allow_unsynced_folder", "", "false", "true"),
    ("reply_limit", "1", "2", "3"),
    ("transport", "ureq", "ureq", "\"hyper-util\""),
    ("ca_file", "/option", "/variable", "\"/profile\""),
    ("proxy", "http://option:1", "http://variable:1", "\"http://profile:1\""),
    ("timeout", "1s", "2s", "\"3s\""),
];

#[test]
fn an_option_comes_before_its_variable_the_variable_before_the_profile_and_that_before_the_default()
{
    let profiles = Profiles::new("precedence", "");
    let mut seen = BTreeMap::new();
    for (key, option, variable, profile) in SETTINGS {
        profiles.write(format!("[profile.p]\n\n{key} = {profile}\n"));
        let flag = format!("--{}", key.replace('_', "-"));
        let name = format!("IMTS_{}", key.to_uppercase());
        let with = |has_option: bool, has_variable: bool, has_profile: bool| {
            let mut command = profiles.imts(&[]);
            command.env_remove("IMTS_NO_STORE");
            if has_variable {
                command.env(&name, variable);
            }
            command.args(["config", "show", "--json"]);
            if has_profile {
                command.args(["--profile", "p"]);
            }
            if has_option {
                command.arg(&flag).args((!option.is_empty()).then_some(option));
            }
            let ran = run(&mut command);
            assert_eq!(ran.code, 0, "{key}: {ran:?}");
            let settings = ran.json()["settings"].as_array().unwrap().clone();
            settings.into_iter().find(|it| it["setting"] == key).unwrap()
        };
        let by_option = with(true, true, true);
        let value = if option.is_empty() { "true" } else { option };
        assert_eq!((&by_option["value"], &by_option["from"]), (&value.into(), &"option".into()));
        assert_eq!(by_option["name"], *flag);
        let by_variable = with(false, true, true);
        assert_eq!(by_variable["value"], variable, "{key}");
        assert_eq!(
            (&by_variable["from"], &by_variable["name"]),
            (&"variable".into(), &(*name).into())
        );
        let by_profile = with(false, false, true);
        assert_eq!(by_profile["value"], profile.trim_matches('"'), "{key}");
        assert_eq!((&by_profile["from"], &by_profile["name"]), (&"profile".into(), &"p".into()));
        assert_eq!(
            (&by_profile["file"], &by_profile["line"]),
            (&(*profiles.file()).into(), &3.into())
        );
        let by_default = with(false, false, false);
        let has_default = !by_default["value"].is_null();
        assert_eq!(by_default["from"] == "default", has_default, "{key}: {by_default}");
        seen.insert(key, ());
    }
    // No setting is without its line above.
    profiles.write("[profile.p]\n");
    let shown = profiles.shown(&mut profiles.imts(&[]));
    let keys = shown.keys().filter(|key| !["profile", "secret"].contains(&key.as_str()));
    assert_eq!(keys.collect::<Vec<_>>(), seen.keys().collect::<Vec<_>>());
}

#[test]
fn a_profile_is_used_only_if_it_is_named() {
    let front = Front::start(Sandbox::default()).unwrap();
    let good =
        format!("[profile.good]\n{}secret.variable = \"S\"\n", sandbox_profile(&front.url()));
    let profiles = Profiles::new("named", &good);
    for transport in TRANSPORTS {
        let ran =
            run(profiles.imts(&["token", "--json", "--transport", transport]).env("S", SECRET));
        assert_eq!(ran.code, 2, "one profile, and it is not named: {ran:?}");
        assert!(ran.out.contains("no base URL"), "{ran:?}");
        let by_option = ["token", "--json", "--profile", "good", "--transport", transport];
        assert_eq!(run(profiles.imts(&by_option).env("S", SECRET)).code, 0);
        let mut by_variable = profiles.imts(&["token", "--json", "--transport", transport]);
        by_variable.env("S", SECRET).env("IMTS_PROFILE", "good\n");
        assert_eq!(run(&mut by_variable).code, 0);
        // The option names another one.
        let ran = run(by_variable.args(["--profile", "better"]));
        assert_eq!(ran.code, 2, "{ran:?}");
        // An option comes before the profile.
        let ran = run(profiles.imts(&by_option).env("S", SECRET).args(["--agent-id", "other"]));
        assert_eq!(ran.code, 3, "{ran:?}");
    }
    assert_eq!(front.log().len(), 6);
    // A command without a profile does not notice what is wrong in the file.
    profiles.write("[[[");
    assert_eq!(run(&mut profiles.imts(&["operations"])).code, 0);
    assert_eq!(run(&mut profiles.imts(&["operations", "--profile", "good"])).code, 2);
    assert_eq!(run(profiles.imts(&["sandbox", "--agent", ""]).env("IMTS_PROFILE", "x")).code, 2);
}

#[test]
fn the_secret_comes_from_an_option_a_variable_or_the_profile_in_this_order() {
    let front = Front::start(Sandbox::default()).unwrap();
    let profiles = Profiles::new("secrets", "");
    let (good, wrong) = (profiles.0.write("good", SECRET), profiles.0.write("wrong", "wrong"));
    let text = format!("[profile.p]\n{}", sandbox_profile(&front.url()));
    let token = |file: &str, more: &[&str]| {
        profiles.write(format!("{text}secret.file = \"{file}\"\n"));
        profiles.imts(&[&["token", "--json", "--profile", "p"], more].concat())
    };
    assert_eq!(run(&mut token(&good, &[])).code, 0);
    assert_eq!(run(&mut token(&wrong, &[])).code, 3);
    assert_eq!(run(token(&wrong, &[]).env("IMTS_AGENT_SECRET", SECRET)).code, 0);
    assert_eq!(run(token(&wrong, &[]).env("IMTS_SECRET_FILE", &good)).code, 0);
    let option = ["--secret-file", &good];
    assert_eq!(run(token(&wrong, &option).env("IMTS_AGENT_SECRET", "wrong")).code, 0);
    assert_eq!(run(token(&wrong, &option).env("IMTS_SECRET_FILE", &wrong)).code, 0);
    let sent = front.log().len();
    let mut both = token(&good, &[]);
    let ran = run(both.env("IMTS_SECRET_FILE", &good).env("IMTS_AGENT_SECRET", SECRET));
    assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{ran:?}");
    assert!(ran.out.contains("both IMTS_AGENT_SECRET and IMTS_SECRET_FILE"), "{ran:?}");
    assert_eq!(front.log().len(), sent);
}

#[test]
fn paths_in_a_profile_are_beside_its_file_or_in_the_users_folder() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let profiles = Profiles::new("paths", "");
    profiles.0.write("imts/secret", SECRET);
    let text = format!(
        "[profile.p]\n{}secret.file = \"secret\"\nservice_file = \"~/service.toml\"\n\
         journal = \"../journal\"\n",
        sandbox_profile(&front.url())
    );
    profiles.write(text);
    let call = ["call", "confirm", "--profile", "p", "--reference", "17", "--json"];
    let ran = run(profiles.imts(&call).env("HOME", profiles.0.path("")).current_dir("/"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(fs::exists(profiles.0.path("journal")).unwrap());
    // The profile's journal counts for what is not to be sent again, and for a decision about that.
    let again = run(profiles.imts(&call).env("HOME", profiles.0.path("")));
    assert_eq!(again.code, 8, "{again:?}");
    let despite = ["--resend-despite", "1", "--reason", "tested"];
    let ran = run(profiles.imts(&call).env("HOME", profiles.0.path("")).args(despite));
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(profiles.imts(&call).env_remove("HOME"));
    assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{ran:?}");
}

/// What `imts call` shows of where a call went: on stderr, and as JSON.
fn shown_by(ran: &Ran) -> (bool, Value, Value) {
    let json = ran.json();
    let at = if ran.code == 0 { &json } else { &json["error"] };
    (ran.err.contains(": base URL "), at["base_url"].clone(), at["profile"].clone())
}

#[test]
fn a_call_that_moves_money_shows_its_base_url_and_its_profile_and_a_read_does_not() {
    let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
    sandbox.settings_mut().agents = [(AGENT.to_owned(), SECRET.to_owned())].into();
    let front = Front::start(sandbox).unwrap();
    let url = front.url();
    let profiles = Profiles::new("money", "");
    profiles.write(format!(
        "[profile.payments]\n{}secret.variable = \"S\"\nservice_file = \"{}\"\n",
        sandbox_profile(&url),
        profiles.0.service_file()
    ));
    for transport in TRANSPORTS {
        let call = |operation: &str, more: &[&str]| {
            let args = ["call", operation, "--profile", "payments", "--transport", transport];
            let mut command = profiles.imts(&[&args[..], more].concat());
            command.env("S", SECRET);
            command
        };
        let (base_url, profile) = (Value::from(url.trim_end_matches('/')), Value::from("payments"));
        for (operation, agent, code) in
            [("confirm", AGENT, 0), ("create-transfer", AGENT, 0), ("confirm", "nobody", 3)]
        {
            let ran = run(&mut call(operation, &["--json", "--agent-id", agent]));
            assert_eq!(ran.code, code, "{ran:?}");
            assert_eq!(shown_by(&ran), (true, base_url.clone(), profile.clone()), "{ran:?}");
            let line =
                format!("{operation}: base URL {}, profile payments\n", base_url.as_str().unwrap());
            assert_eq!(ran.err, line);
        }
        let ran = run(&mut call("daily-report", &["--json"]));
        assert_eq!((ran.code, shown_by(&ran)), (0, (false, Value::Null, Value::Null)), "{ran:?}");
        // Without a profile, that is shown too.
        let mut command = crate::call(&url, "confirm", &["--transport", transport, "--json"]);
        let ran = run(command.args(["--service-file", &profiles.0.service_file()]));
        assert_eq!(shown_by(&ran), (true, base_url, Value::Null));
        assert!(ran.err.ends_with(", no profile\n"), "{ran:?}");
    }
}

#[test]
fn what_is_hidden_is_not_shown() {
    let text = "[profile.p]\nagent_id = \"a\"\nsecret.command = [\"pass\", \"zq7x\"]\n";
    let profiles = Profiles::new("hidden", text);
    for json in [&["--json"][..], &[]] {
        let mut command = profiles.imts(&["config", "show", "--profile", "p"]);
        command.env("IMTS_PROXY", "http://zq:zq7x@proxy.example:1").args(json);
        let ran = run(command.args(["--base-url", "https://zq:zq7x@host.example"]));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.out.contains("zq") && ran.out.contains("`pass`"), "{ran:?}");
        assert!(ran.out.contains("http://(hidden)@proxy.example:1"), "{ran:?}");
        let ran =
            run(profiles.imts(&["config", "show"]).args(json).env("IMTS_AGENT_SECRET", "zq7x"));
        assert!(!ran.out.contains("zq") && ran.out.contains("IMTS_AGENT_SECRET"), "{ran:?}");
    }
}

#[test]
fn a_wrong_value_in_a_variable_names_the_variable() {
    for (variable, value, args) in [
        ("IMTS_TIMEOUT", "soon", &["token", "--json"][..]),
        ("IMTS_TRANSPORT", "curl", &["watch", "--json"]),
        ("IMTS_PLAIN_HTTP", "maybe", &["token", "--json"]),
        ("IMTS_SANDBOX_LIFETIME", "0s", &["sandbox", "--port", "0"]),
        ("IMTS_RECONCILE_PAUSE", "x", &["journal", "reconcile", "j", "--with", "x", "--json"]),
    ] {
        let ran = run(imts(args).env(variable, value));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!((ran.out + &ran.err).contains(&format!("{variable} cannot be used")), "{variable}");
        // An option that is right comes before it, and an option that is wrong is named itself.
        let ran = run(imts(&["token", "--json", "--timeout", "never"]).env(variable, value));
        assert!(!ran.out.contains(variable) || variable != "IMTS_TIMEOUT", "{ran:?}");
    }
    let mut command = imts(&["operations"]);
    let ran = run(command.env("IMTS_JSON", "yes").env("IMTS_SERVICE_FILE", "/no/such/file\n"));
    assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{ran:?}");
    assert!(ran.out.contains("/no/such/file:"), "without the line break: {ran:?}");
    assert_eq!(run(imts(&["no-such-command"]).env("IMTS_JSON", "1")).error().0, "usage");
}
