//! A client's builder from the environment of a real process.

use std::process::Command;

use imts::Builder;
use imts::builder::EnvError;

const NAMES: [&str; 3] = ["IMTS_BASE_URL", "IMTS_AGENT_ID", "IMTS_AGENT_SECRET"];

/// What a process prints that runs one test of this file with these variables.
fn child(values: [Option<&str>; 3]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "prints_the_builder", "--nocapture"]).env("IS_CHILD", "1");
    for (name, value) in NAMES.into_iter().zip(values) {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The child of the tests below.
#[test]
fn prints_the_builder() {
    if std::env::var_os("IS_CHILD").is_none() {
        assert!(!child([None; 3]).is_empty());
        return;
    }
    match Builder::from_env() {
        Ok(builder) => println!("built: {builder:?}"),
        Err(error) => println!("error: {error}"),
    }
}

#[test]
fn a_process_with_the_three_variables_has_a_client_and_shows_no_secret() {
    let shown = child([Some("https://service.example"), Some("agent-7"), Some("s3cret\n")]);
    assert!(shown.contains("built: ") && shown.contains("agent-7"), "{shown}");
    assert!(shown.contains("https://service.example") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_process_without_one_of_them_says_which() {
    for at in 0..3 {
        let mut values = [Some("https://service.example"), Some("agent-7"), Some("s3cret")];
        values[at] = None;
        let error = EnvError::Missing(NAMES[at]);
        assert!(child(values).contains(&format!("error: {error}")), "{error}");
    }
}
