//! Completion, by the shells themselves.

use std::process::Command;

use crate::{Folder, imts, run};

/// Runs a script in a shell that finds this `imts`, and returns the words that it prints.
fn words(shell: &[&str], script: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_imts")).parent().unwrap();
    let path = std::env::join_paths(
        [folder.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .arg(script)
        .env("PATH", path.unwrap())
        .env_remove("IMTS_SERVICE_FILE");
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot run {}: {error}. Install it: apt-get install {}", shell[0], shell[0])
    });
    assert!(output.status.success() && output.stderr.is_empty(), "{shell:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// What bash offers for a line, whose last word may be unfinished.
fn by_bash(line: &[&str]) -> Vec<String> {
    let quoted: Vec<_> = line.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(imts completions bash)
         complete -p imts | grep -q _clap_complete_imts || exit 1
         COMP_WORDS=({}) COMP_CWORD={} COMP_TYPE=9
         _clap_complete_imts imts '{}' x
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        line.len() - 1,
        line.last().unwrap(),
    );
    words(&["bash", "--norc", "--noprofile", "-c"], &script)
}

#[test]
fn bash_completes_commands_options_values_and_operations() {
    assert_eq!(by_bash(&["imts", "tok"]), ["token"]);
    assert_eq!(by_bash(&["imts", "journal", "re"]), ["resolve", "reconcile"]);
    assert_eq!(by_bash(&["imts", "token", "--head"]), ["--header"]);
    assert_eq!(by_bash(&["imts", "token", "--transport", "h"]), ["hyper-util"]);
    assert_eq!(by_bash(&["imts", "--color", "n"]), ["never"]);
    assert_eq!(by_bash(&["imts", "completions", "f"]), ["fish"]);
    assert_eq!(by_bash(&["imts", "call", "conf"]), ["confirm"]);
    let operations = by_bash(&["imts", "call", ""]);
    for operation in ["fees", "create-transfer", "status", "print-application"] {
        assert!(operations.iter().any(|it| it == operation), "{operations:?}");
    }
    // Token exchanges are not called by name.
    assert!(!operations.iter().any(|it| it == "get-token"), "{operations:?}");
}

#[test]
fn bash_completes_the_operations_of_the_service_file_on_the_line_and_files() {
    let folder = Folder::new("complete-bash");
    let file = folder.service_file();
    let broken = folder.write("broken.toml", "version = ");
    assert_eq!(by_bash(&["imts", "call", "--service-file", &file, "dai"]), ["daily-report"]);
    assert_eq!(by_bash(&["imts", "call", "--service-file", &broken, "fe"]), ["fees"]);
    assert_eq!(by_bash(&["imts", "call", "--service-file", "/no/such", "fe"]), ["fees"]);
    let begin = folder.path("serv");
    assert_eq!(by_bash(&["imts", "call", "fees", "--service-file", &begin]), [file.as_str()]);
    assert_eq!(
        by_bash(&["imts", "call", "fees", "-d", &format!("@{begin}")]),
        [format!("@{file}")]
    );
}

#[test]
fn a_question_of_a_shell_sends_nothing_and_reads_no_secret() {
    let mut command = imts(&["--", "imts", "call", "fe"]);
    command.env("IMTS_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2");
    let ran = run(command.env("IMTS_AGENT_SECRET", "canary-7f3a").env("_CLAP_IFS", "\n"));
    assert_eq!((ran.code, ran.out.trim(), ran.err.as_str()), (0, "fees", ""), "{ran:?}");
    // A variable that other programs use does not change the command.
    let ran = run(imts(&["operations"]).env("COMPLETE", "bash"));
    assert!(ran.out.starts_with("NAME"), "{ran:?}");
}

#[test]
fn there_is_a_script_for_each_shell_and_no_other() {
    for (shell, part) in [
        ("bash", "complete -o nospace"),
        ("zsh", "#compdef imts"),
        ("fish", "complete --keep-order"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName imts"),
    ] {
        let ran = run(&mut imts(&["completions", shell]));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        assert!(ran.out.contains(part), "{shell}: {}", ran.out);
    }
    let ran = run(&mut imts(&["completions", "tcsh"]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("bash, zsh, fish, powershell"), "{ran:?}");
}

#[cfg(feature = "test-shells")]
#[test]
fn fish_completes_operations_with_their_class() {
    let folder = Folder::new("complete-fish");
    let file = folder.service_file();
    let offered = |line: &str| {
        let script = format!("imts completions fish | source; complete --do-complete '{line}'");
        words(&["fish", "--no-config", "-c"], &script)
    };
    assert_eq!(offered("imts call conf"), ["confirm", "money,", "path", "unknown"]);
    let line = format!("imts call --service-file {file} dai");
    assert_eq!(offered(&line), ["daily-report", "read"]);
    assert_eq!(offered("imts token --head")[0], "--header");
}

#[cfg(feature = "test-shells")]
#[test]
fn zsh_completes_operations_with_their_class() {
    let folder = Folder::new("complete-zsh");
    let file = folder.service_file();
    // Outside of an interactive shell there is no completion system: this takes its place, and prints
    // what the script hands over.
    let offered = |line: &str| {
        let script = format!(
            "compdef() {{ completer=$1 }}
             _describe() {{ print -rl -- \"${{(@P)3}}\" }}
             source <(imts completions zsh)
             words=({line}); CURRENT=$#words
             $completer"
        );
        words(&["zsh", "--no-rcs", "-c"], &script)
    };
    assert_eq!(offered("imts call conf"), ["confirm:money,", "path", "unknown"]);
    assert_eq!(offered(&format!("imts call --service-file {file} dai")), ["daily-report:read"]);
    assert!(offered("imts token --head")[0].starts_with("--header:"));
}
