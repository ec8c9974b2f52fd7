//! `imts config check`: all settings are tried, and the service gets no request.

use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::SystemTime;
use std::{fs, io};

use imts_sandbox::{Front, Sandbox};
use serde_json::Value;

use crate::journal::journal;
use crate::network::Secured;
use crate::profiles::{Profiles, sandbox_profile};
use crate::{AGENT, Ran, SECRET, imts, run};

/// The states of the checks, by their names.
fn states(ran: &Ran) -> Vec<(String, String)> {
    let json = ran.json();
    let at = if ran.code == 0 { &json } else { &json["error"] };
    let checks = at["checks"].as_array().unwrap_or_else(|| panic!("{ran:?}"));
    let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
    checks.iter().map(|check| (text(check, "check"), text(check, "state"))).collect()
}

/// The checks that are not ok.
fn not_ok(ran: &Ran) -> Vec<String> {
    let bad = states(ran).into_iter().filter(|(_, state)| state != "ok");
    bad.map(|(name, state)| format!("{name} {state}")).collect()
}

#[test]
fn good_settings_are_tried_and_neither_the_service_nor_the_journal_notices() {
    let front = Front::start(Sandbox::default()).unwrap();
    let profiles = Profiles::new("check-good", "");
    let file = journal(&profiles.0);
    let profile = sandbox_profile(&front.url());
    profiles.write(format!(
        "[profile.p]\n{profile}secret.variable = \"S\"\nservice_file = \"../service.toml\"\n\
         journal = \"{file}\"\n"
    ));
    let before = (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap());
    for transport in crate::TRANSPORTS {
        let args = ["config", "check", "--profile", "p", "--transport", transport];
        let ran = run(profiles.imts(&args).arg("--json").env("S", SECRET));
        assert_eq!((ran.code, not_ok(&ran)), (0, vec![]), "{ran:?}");
        let names: Vec<_> = states(&ran).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "profile",
                "base_url",
                "agent_id",
                "secret",
                "service_file",
                "store",
                "journal",
                "ca_file",
                "proxy",
                "connection"
            ]
        );
        let ran = run(profiles.imts(&args).env("S", SECRET));
        assert_eq!((ran.code, ran.out.lines().count()), (0, 10), "{ran:?}");
        assert!(ran.out.lines().all(|line| line.starts_with("ok ")), "{ran:?}");
    }
    assert!(front.log().is_empty(), "no request came");
    let after = (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap());
    assert_eq!(before, after);
    // A journal that is not there is not made.
    let missing = profiles.0.path("none");
    let mut command = profiles.imts(&["config", "check", "--profile", "p", "--json"]);
    assert_eq!(run(command.env("S", SECRET).args(["--journal", &missing])).code, 0);
    assert!(!fs::exists(missing).unwrap());
}

#[test]
fn each_wrong_setting_is_its_own_line_and_the_others_are_still_tried() {
    let front = Front::start(Sandbox::default()).unwrap();
    let url = front.url();
    let profiles = Profiles::new("check-wrong", "");
    let text = profiles.0.write("text", "no such thing");
    let good =
        ["config", "check", "--json", "--plain-http", "--base-url", &url, "--agent-id", AGENT];
    let proxy = format!("@{text}");
    for (wrong, bad) in [
        (&["--journal", &text][..], "journal failed"),
        (&["--journal", "/no/such/folder/journal"], "journal failed"),
        (&["--ca-file", &text], "ca_file failed"),
        (&["--ca-file", "/no/such/file"], "ca_file failed"),
        (&["--service-file", &text], "service_file failed"),
        (&["--proxy", &proxy], "proxy failed"),
        (&["--secret-file", "/no/such/file"], "secret failed"),
    ] {
        let mut command = imts(&good);
        command.args(wrong);
        if !wrong.contains(&"--secret-file") {
            command.env("IMTS_AGENT_SECRET", SECRET);
        }
        let ran = run(&mut command);
        let mut bad = vec![bad.to_owned()];
        if wrong[0] == "--ca-file" || wrong[0] == "--proxy" {
            bad.push("connection left_out".to_owned());
        }
        assert_eq!((ran.error().0.as_str(), ran.code, not_ok(&ran)), ("usage", 2, bad), "{ran:?}");
    }
    let ran = run(&mut imts(&["config", "check", "--json"]));
    let bad = ["base_url failed", "agent_id failed", "secret failed", "connection left_out"];
    assert_eq!((ran.code, not_ok(&ran)), (2, bad.map(str::to_owned).to_vec()), "{ran:?}");
    // For people, what to do stands below its check, under the words of it.
    profiles.write("[profile.p]\nsecret.command = [\"no such program\"]\n");
    let ran = run(&mut profiles.imts(&["config", "check", "--profile", "p"]));
    let below: Vec<_> =
        ran.out.lines().filter_map(|line| line.strip_prefix(&" ".repeat(24))).collect();
    assert!(below.len() == 2 && below[0].starts_with("No shell") && below[1].ends_with("line 2."));
    let begins =
        |line: &str| ["ok ", "failed ", "left_out ", "  "].iter().any(|it| line.starts_with(it));
    assert!(ran.out.lines().all(begins), "{ran:?}");
    assert!(front.log().is_empty());
}

#[test]
fn a_service_that_is_not_there_is_a_transport_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let args =
        ["config", "check", "--json", "--plain-http", "--agent-id", AGENT, "--base-url", &url];
    let mut command = imts(&args);
    command.env("IMTS_AGENT_SECRET", SECRET);
    // The service sees a connection, and not one byte.
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    });
    assert_eq!(run(&mut command).code, 0);
    assert_eq!(heard.join().unwrap().unwrap(), b"");
    let ran = run(&mut command);
    assert_eq!((ran.error(), ran.code), (("transport".into(), "retry".into()), 5), "{ran:?}");
    assert_eq!(not_ok(&ran), ["connection failed"]);
    // A wrong setting counts for more: to try again is of no use.
    let ran = run(command.env("IMTS_AGENT_SECRET", " "));
    assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{ran:?}");
    assert_eq!(not_ok(&ran), ["secret failed", "connection failed"]);
}

#[test]
fn the_connection_is_one_of_tls_with_the_certificates_of_the_settings() {
    let secured = Secured::start("config-check", 2);
    let url = format!("https://localhost:{}", secured.port);
    let pem = secured.pem.to_str().unwrap().to_owned();
    let check = || {
        let mut command =
            imts(&["config", "check", "--json", "--base-url", &url, "--agent-id", AGENT]);
        command.env("IMTS_AGENT_SECRET", SECRET);
        command
    };
    let trusted = run(check().args(["--ca-file", &pem]));
    assert_eq!((trusted.code, not_ok(&trusted)), (0, vec![]), "{trusted:?}");
    let distrusted = run(&mut check());
    assert_eq!((distrusted.code, not_ok(&distrusted)), (5, vec!["connection failed".to_owned()]));
    assert_eq!(secured.served.join().unwrap(), [false, false], "no request came");
    fs::remove_file(secured.pem).unwrap();
}

#[test]
fn a_proxy_of_the_settings_is_tried_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![0; 512];
        let length = stream.read(&mut asked).unwrap();
        io::Write::write_all(&mut stream, b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        asked.truncate(length);
        asked
    });
    let began = SystemTime::now();
    let args =
        ["config", "check", "--json", "--base-url", "https://host.invalid", "--agent-id", AGENT];
    let mut command = imts(&args);
    let ran = run(command.env("IMTS_AGENT_SECRET", SECRET).env("IMTS_PROXY", &proxy));
    assert_eq!((ran.code, not_ok(&ran)), (5, vec!["connection failed".to_owned()]), "{ran:?}");
    assert!(ran.out.contains("403"), "{ran:?}, since {began:?}");
    let asked = String::from_utf8(asked.join().unwrap()).unwrap();
    assert!(asked.starts_with("CONNECT host.invalid:443 "), "{asked}");
    assert!(!asked.contains(SECRET) && !asked.contains(AGENT));
}
