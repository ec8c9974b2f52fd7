//! Profiles: what is shown of the settings, how they are checked, and what is wrong in their file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use super::scenes::Scenes;
use crate::journal::journal;
use crate::network::Secured;
use crate::profiles::sandbox_profile;
use crate::{AGENT, SECRET, SERVICE_FILE, imts, run};

/// The command with the profiles of the part's folder.
fn with_profiles(scenes: &Scenes, args: &[&str]) -> Command {
    let mut command = imts(args);
    let folder = scenes.folder.path("");
    command.env("XDG_CONFIG_HOME", &folder).env("XDG_STATE_HOME", &folder);
    command
}

fn set(scenes: &Scenes, text: &str) {
    scenes.folder.write("imts/config.toml", text);
    mode(scenes, "imts/config.toml", 0o600);
}

fn mode(scenes: &Scenes, path: &str, mode: u32) {
    fs::set_permissions(scenes.folder.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn shoot(scenes: &mut Scenes) {
    fs::create_dir_all(scenes.folder.path("imts")).unwrap();
    mode(scenes, "", 0o700);
    mode(scenes, "imts", 0o700);
    settings(scenes);
    checks(scenes);
    places(scenes);
    files(scenes);
    secrets(scenes);
}

fn settings(scenes: &mut Scenes) {
    let show = ["config", "show"];
    scenes.run("settings without a profile", &mut imts(&show));
    set(
        scenes,
        "[profile.production]\nbase_url = \"https://host.example\"\nagent_id = \"agent-7\"\n\
         secret = { command = [\"pass\", \"show\", \"imts\"] }\njournal = \"journal\"\n\n\
         [profile.sandbox]\nsecret.file = \"secret\"\n\n[profile.other]\nsecret.variable = \"OTHER\"\n\n\
         [profile.desktop]\nsecret.keyring = { service = \"imts\", user = \"agent-7\" }\n",
    );
    let named = ["config", "show", "--profile", "production"];
    scenes.run("settings, and no profile is named", &mut with_profiles(scenes, &show));
    let all = |scenes: &Scenes| {
        let mut command = with_profiles(scenes, &named);
        command.args(["--transport", "hyper-util"]).env("IMTS_TIMEOUT", "20s");
        command.env("IMTS_PROXY", "http://user:password@proxy.example:3128");
        command
    };
    scenes.run("settings with a profile, variables and an option", &mut all(scenes));
    scenes.run("", all(scenes).arg("--json"));
    for name in ["sandbox", "other", "desktop"] {
        let show = ["config", "show", "--profile", name];
        scenes.run(&format!("settings of the profile {name}"), &mut with_profiles(scenes, &show));
    }
    let mut by_variable = with_profiles(scenes, &show);
    scenes.run("a secret in a variable", by_variable.env("IMTS_AGENT_SECRET", SECRET));
    let mut by_file = with_profiles(scenes, &show);
    scenes.run("a secret in a file", by_file.env("IMTS_SECRET_FILE", "/secret"));
    by_file.env("IMTS_AGENT_SECRET", SECRET);
    scenes.run("a secret in two variables", &mut by_file);
    scenes.run("the profiles", &mut with_profiles(scenes, &["config", "list"]));
    scenes.run("", &mut with_profiles(scenes, &["config", "list", "--json"]));
    let wrong = ["config", "show", "--profile", "prodution"];
    scenes.run("a profile that does not exist", &mut with_profiles(scenes, &wrong));
    let mut variable = imts(&["token"]);
    scenes.run("a wrong value in a variable", variable.env("IMTS_TIMEOUT", "soon"));
    set(scenes, "\n");
    scenes.run("a blank file", &mut with_profiles(scenes, &["config", "list"]));
    set(scenes, "# none yet\n");
    scenes.run("a file with a comment alone", &mut with_profiles(scenes, &["config", "list"]));
}

fn checks(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let file = journal(&scenes.folder);
    let profile = sandbox_profile(&front.url());
    set(
        scenes,
        &format!(
            "[profile.sandbox]\n{profile}secret.variable = \"S\"\nservice_file = \"../service.toml\"\n"
        ),
    );
    let check = |scenes: &Scenes, more: &[&str]| {
        let args = ["config", "check", "--profile", "sandbox"];
        let mut command = with_profiles(scenes, &[&args[..], more].concat());
        command.env("S", SECRET);
        command
    };
    scenes.run("a check", &mut check(scenes, &["--journal", &file]));
    scenes.run("", &mut check(scenes, &["--journal", &file, "--json"]));
    let none = scenes.folder.path("none");
    scenes.run("a check of a journal to come", &mut check(scenes, &["--journal", &none]));
    let no_folder = scenes.folder.path("no/journal");
    let text = scenes.folder.write("text", "text");
    let proxy = format!("@{text}");
    let wrong = ["--journal", &no_folder, "--ca-file", &text, "--proxy", &proxy];
    scenes.run("a check of wrong settings", &mut check(scenes, &wrong));
    scenes.run("", check(scenes, &wrong).arg("--json"));
    let mut through = check(scenes, &["--proxy", "http://proxy.invalid:1"]);
    scenes.run("a check with a proxy, to this machine", &mut through);
    let trusted = ["--ca-file", &scenes.folder.path("missing")].map(str::to_owned);
    scenes.run("a check of certificates", check(scenes, &[]).args(trusted));
    let pem = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = scenes.folder.write("pem", pem.cert.pem());
    scenes.run("a check with certificates", &mut check(scenes, &["--ca-file", &pem]));
    let confirm = ["call", "confirm", "--profile", "sandbox", "-d", r#"{"client_uuid":"17"}"#];
    scenes.run("a call with a profile", with_profiles(scenes, &confirm).env("S", SECRET));
    let mut again = with_profiles(scenes, &["token", "--profile", "sandbox"]);
    scenes.run("a token with a profile, whose session cannot be cached", {
        again.env("S", SECRET).env("XDG_STATE_HOME", "/dev/null/state")
    });
    assert_eq!(run(again.env("XDG_STATE_HOME", scenes.folder.path(""))).code, 0);
    scenes.run("a check of a cached session", &mut check(scenes, &[]));
    let pipe = scenes.folder.path("pipe");
    nix::unistd::mkfifo(pipe.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let waits = format!("@{pipe}");
    let wait = ["--proxy", &waits, "--timeout", "200ms"];
    scenes.run("a proxy's URL that does not come", &mut check(scenes, &wait));
    let secured = Secured::start("texts", 1);
    let url = format!("https://localhost:{}", secured.port);
    let pem = scenes.folder.write("own.pem", fs::read(&secured.pem).unwrap());
    let mut command = check(scenes, &["--ca-file", &pem]);
    command.env("IMTS_PLAIN_HTTP", "false");
    let out = run(command.args(["--base-url", &url])).out;
    scenes.note("a check over TLS", &out.replace(&secured.port.to_string(), "PORT"));
    fs::remove_file(&secured.pem).unwrap();
    assert_eq!(secured.served.join().unwrap(), [false]);
    drop(front);
    scenes.run("a check, and no service is there", &mut check(scenes, &[]));
    scenes.run("a check without any setting", &mut imts(&["config", "check"]));
    let https = ["config", "check", "--base-url", "https://127.0.0.1:1", "--agent-id", AGENT];
    scenes.run("a check of an https URL", imts(&https).env("IMTS_AGENT_SECRET", SECRET));
    let bare = ["call", "confirm", "--resend-despite", "1", "--reason", "x"];
    scenes.run("a decision without a journal", &mut imts(&bare));
}

fn places(scenes: &mut Scenes) {
    let args = ["config", "list"];
    let mut command = with_profiles(scenes, &args);
    scenes.run("a relative folder", command.env("XDG_CONFIG_HOME", "settings"));
    scenes.run("no folder", command.env_remove("XDG_CONFIG_HOME").env_remove("HOME"));
    let token = ["token", "--profile", "sandbox"];
    for (situation, path, wrong, good) in [
        ("a file that others can write", "imts/config.toml", 0o664, 0o600),
        ("a folder that others can write", "imts", 0o777, 0o700),
    ] {
        mode(scenes, path, wrong);
        scenes.run(situation, &mut with_profiles(scenes, &token));
        mode(scenes, path, good);
    }
    let file = scenes.folder.path("imts/config.toml");
    std::os::unix::fs::chown(&file, Some(54_321), None).unwrap();
    scenes.run("a file of another user", &mut with_profiles(scenes, &token));
    fs::remove_file(&file).unwrap();
    scenes.run("no file", &mut with_profiles(scenes, &token));
    fs::create_dir(&file).unwrap();
    scenes.run("a folder as the file", &mut with_profiles(scenes, &token));
    fs::remove_dir(&file).unwrap();
    std::os::unix::fs::symlink("config.toml", &file).unwrap();
    scenes.run("a link to itself", &mut with_profiles(scenes, &token));
    fs::remove_file(&file).unwrap();
}

fn files(scenes: &mut Scenes) {
    let show = ["config", "show", "--profile", "p"];
    let at = "[profile.p]\n";
    for (situation, text) in [
        ("an empty file of profiles", "".to_owned()),
        ("a file without a profile", "# none".to_owned()),
        ("not TOML", format!("{at}agent_id =")),
        ("a key that is misspelt", format!("{at}base_ulr = \"x\"")),
        ("a key that is like no other", format!("{at}colour = \"x\"")),
        ("a table that is like no other", "[x]".to_owned()),
        ("a key that is too long to repeat", format!("{at}{} = 1", "x".repeat(33))),
        ("a secret in the file", format!("{at}agent_secret = \"x\"")),
        ("a name that is not one", "[profile.\"a b\"]".to_owned()),
        ("no table", "profile = 1".to_owned()),
        ("a number for a text", format!("{at}agent_id = 7")),
        ("a text for a switch", format!("{at}plain_http = \"yes\"")),
        ("a text for a number", format!("{at}reply_limit = \"1\"")),
        ("a wrong time", format!("{at}timeout = \"soon\"")),
        ("a blank id", format!("{at}agent_id = \" \"")),
        ("a password in the proxy's URL", format!("{at}proxy = \"http://a:b@c\"")),
        ("no path", format!("{at}journal = \"\"")),
        ("a secret of two sources", format!("{at}secret = {{ file = \"a\", variable = \"B\" }}")),
        ("a source that does not exist", format!("{at}secret = {{ colour = \"a\" }}")),
        ("a file that is not a text", format!("{at}secret = {{ file = 1 }}")),
        ("a variable that is not one", format!("{at}secret = {{ variable = \"A=B\" }}")),
        ("a command that is not a list", format!("{at}secret = {{ command = \"pass\" }}")),
        ("an entry without a user", format!("{at}secret.keyring = {{ service = \"a\" }}")),
        ("an entry with another key", format!("{at}secret.keyring = {{ x = \"a\" }}")),
    ] {
        set(scenes, &text);
        scenes.run(situation, &mut with_profiles(scenes, &show));
    }
    set(scenes, &format!("{at}journal = \"~/journal\""));
    scenes.run("~ without HOME", with_profiles(scenes, &show).env_remove("HOME"));
}

fn secrets(scenes: &mut Scenes) {
    let token = ["token", "--profile", "p", "--timeout", "300ms"];
    let url = "base_url = \"https://host.invalid\"\nagent_id = \"a\"\n";
    for (situation, source) in [
        ("a command that does not exist", "command = [\"/no/such/program\"]"),
        ("a command as one text", "command = [\"pass show imts\"]"),
        ("a command that fails", "command = [\"false\"]"),
        ("a command that prints nothing", "command = [\"true\"]"),
        ("a command that prints two lines", "command = [\"printf\", 'a\\nb']"),
        (
            "a command that prints too much",
            "command = [\"head\", \"-c\", \"65537\", \"/dev/zero\"]",
        ),
        ("a command that takes too long", "command = [\"sleep\", \"1000\"]"),
        ("a variable that is not set", "variable = \"NO_SUCH_VARIABLE\""),
        ("a file that is missing", "file = \"missing\""),
    ] {
        set(scenes, &format!("[profile.p]\n{url}secret.{source}\n"));
        scenes.run(situation, &mut with_profiles(scenes, &token));
    }
}
