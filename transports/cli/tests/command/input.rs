//! What comes from outside as text: variables, files, stdin, certificates, data, service files. Each is
//! read in the same way, and what cannot be used is named with its source before anything is sent.

use std::ffi::OsString;
use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use crate::{
    AGENT, Folder, Ran, SECRET, SERVICE_FILE, TRANSPORTS, imts, run, run_with_stdin, token,
};

/// How a person's text may come: with a mark of its encoding before it, with a line break after it.
const GOOD: [(&str, &str); 4] = [("", "\n"), ("", "\r\n"), ("\u{feff}", ""), ("\u{feff}", "\r\n")];

/// What a value of one line may not hold, and what is said about it.
const BAD: [(&[u8], &str); 9] = [
    (b"", "it is blank"),
    (b" \t\n", "it is blank"),
    (b"zq7x\n\n", "more than one line"),
    (b"zq\n7x", "more than one line"),
    (b"zq7x\t", "U+0009"),
    (b"zq\x1b7x", "U+001B"),
    (b"zq7x\xe2\x80\x8b", "U+200B"),
    (b"zq7x\xff", "not UTF-8"),
    (b"\xff\xfes\0", "UTF-16"),
];

fn assert_usage(ran: &Ran, source: &str, words: &str) {
    assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{source}, {words}: {ran:?}");
    let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains(source) && message.contains(words), "{source}, {words}: {message}");
    assert!(!message.contains("zq"), "{message}");
}

#[test]
fn a_mark_and_a_line_break_are_not_part_of_a_secret_an_id_or_a_url() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("input-good");
    for transport in TRANSPORTS {
        for (before, after) in GOOD {
            let with = |text: &str| format!("{before}{text}{after}");
            let by = ["--transport", transport];
            let variables = |command: &mut Command| {
                command.args(["token", "--plain-http"]).args(by);
                command.env("IMTS_AGENT_ID", with(AGENT)).env("IMTS_BASE_URL", with(&front.url()));
            };
            let mut command = imts(&[]);
            variables(&mut command);
            assert_eq!(run(command.env("IMTS_AGENT_SECRET", with(SECRET))).code, 0, "{before:?}");
            let mut command = imts(&[]);
            variables(&mut command);
            let file = folder.write("secret", with(SECRET));
            assert_eq!(run(command.args(["--secret-file", &file])).code, 0, "{after:?}");
            let mut command = imts(&[]);
            variables(&mut command);
            let ran = run_with_stdin(command.args(["--secret-file", "-"]), &with(SECRET));
            assert_eq!(ran.code, 0, "{before:?} {after:?}: {ran:?}");
        }
    }
}

#[test]
fn a_value_that_nobody_can_have_meant_is_refused_and_its_source_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let front = Front::start(Sandbox::default()).unwrap();
    let (url, folder) = (front.url(), Folder::new("input-bad"));
    for transport in TRANSPORTS {
        let by = ["--json", "--transport", transport];
        for (bytes, words) in BAD {
            let file = folder.write("file", bytes);
            assert_usage(&run(token(&url, &by).args(["--secret-file", &file])), &file, words);
            // A variable holds no NUL.
            let Some(value) = (!bytes.contains(&0)).then(|| OsString::from_vec(bytes.to_vec()))
            else {
                continue;
            };
            for name in ["IMTS_AGENT_SECRET", "IMTS_AGENT_ID"] {
                assert_usage(&run(token(&url, &by).env(name, &value)), name, words);
            }
            let mut command = imts(&["token", "--plain-http"]);
            command.args(by).env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
            assert_usage(&run(command.env("IMTS_BASE_URL", &value)), "IMTS_BASE_URL", words);
            let mut command = token(&url, &by);
            assert_usage(&run(command.arg("--agent-id").arg(&value)), "--agent-id", words);
        }
        let mut command = token(&url, &[&by[..], &["--secret-file", "-"]].concat());
        assert_usage(&run_with_stdin(&mut command, "zq\u{1}7x"), "stdin", "U+0001");
    }
    assert!(front.log().is_empty(), "nothing was sent");
}

#[test]
fn data_a_service_file_and_certificates_may_begin_with_a_mark_and_may_not_be_utf_16() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new("input-files");
    let service = folder.write("marked.toml", format!("\u{feff}{SERVICE_FILE}"));
    let data = format!("@{}", folder.write("data", "\u{feff}{\"client_uuid\":\"17\"}\r\n"));
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = folder.write("pem", format!("\u{feff}{}", key.cert.pem()));
    let utf_16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = folder.write("wide", utf_16);
    for transport in TRANSPORTS {
        let call = |more: &[&str]| {
            let mut command = crate::call(&front.url(), "confirm", &["--transport", transport]);
            command.args(["--json"]).args(more);
            command
        };
        let good = ["--service-file", &service, "--ca-file", &pem];
        for data in [&data, "\u{feff}{\"client_uuid\":\"17\"}\n"] {
            let ran = run(call(&good).args(["-d", data]));
            assert_eq!(ran.code, 0, "{ran:?}");
        }
        let ran = run_with_stdin(call(&good).args(["-d", "-"]), "\u{feff}{}\n");
        assert_eq!(ran.code, 0, "{ran:?}");
        let sent = front.log().len();
        for option in ["--service-file", "--ca-file", "--secret-file"] {
            let ran = run(call(&["--path", "/x"]).args([option, &wide]));
            assert_usage(&ran, &wide, "UTF-16");
        }
        let ran = run(call(&good).args(["-d", &format!("@{wide}")]));
        assert_usage(&ran, &wide, "UTF-16");
        assert_eq!(front.log().len(), sent, "nothing was sent");
    }
}

#[test]
fn data_or_a_service_file_with_a_control_character_is_refused_and_its_line_is_named() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new("input-control");
    let data = "{\n\t\"a\": \"zq\u{1}\"}";
    let file = folder.write("data", data);
    let cut = folder.write("cut", b"{\n\"a\": \"zq\xd0\"}");
    let service = folder.write("service", format!("# zq\n# \0\n{SERVICE_FILE}"));
    let blank = folder.write("blank", "\u{feff} \n\n");
    for transport in TRANSPORTS {
        let call = || crate::call(&front.url(), "confirm", &["--json", "--transport", transport]);
        let good = folder.write("service-file", SERVICE_FILE);
        let with = |data: &str| run(call().args(["--service-file", &good, "-d", data]));
        assert_usage(&with(data), "the data", "line 2 has a control character");
        assert_usage(&with(&format!("@{file}")), &file, "line 2 has a control character");
        assert_usage(&with(&format!("@{cut}")), &cut, "line 2 is not UTF-8");
        assert_usage(&with(&format!("@{blank}")), &blank, "it is blank");
        let mut command = call();
        command.args(["--service-file", &good, "-d", "-"]);
        let ran = run_with_stdin(&mut command, data);
        assert_usage(&ran, "stdin", "line 2 has a control character");
        let ran = run(call().args(["--service-file", &service]));
        assert_usage(&ran, &service, "line 2 has a control character");
    }
    assert!(front.log().is_empty(), "nothing was sent");
}

#[test]
fn a_secret_among_the_arguments_is_refused_and_not_repeated() {
    let folder = Folder::new("input-argument");
    let secret = "canary-7f3a-4711";
    for transport in TRANSPORTS {
        let front = Front::start(Sandbox::default()).unwrap();
        let data = format!(r#"{{"agent_secret":"{secret}"}}"#);
        for json in [&["--json"][..], &[]] {
            let mut command = crate::call(&front.url(), "fees", &["-d", &data]);
            let ran = run(command.args(json).env("IMTS_AGENT_SECRET", secret));
            assert_eq!(ran.code, 2, "{ran:?}");
            assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
        }
        assert!(front.log().is_empty());
        for user in ["user:canary-7f3a@", "canary-7f3a@", "user:canary%2D7f3a@"] {
            for scheme in ["http://", "https://", ""] {
                let proxy = format!("{scheme}{user}127.0.0.1:1");
                let flags = ["--json", "-vv", "--transport", transport, "--proxy", &proxy];
                let ran = run(&mut token("https://host.invalid", &flags));
                assert_usage(&ran, "--proxy", "@FILE");
                assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
            }
        }
        let bad = format!("@{}", folder.write("proxy", "http://user:canary-7f3a@ho st:1\n"));
        let flags = ["--json", "--transport", transport, "--proxy", &bad];
        let ran = run(&mut token("https://host.invalid", &flags));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!ran.out.contains("canary") && ran.out.contains(&bad), "{ran:?}");
    }
}
