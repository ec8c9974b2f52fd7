//! Collects what the command printed, with placeholders for what differs from run to run.

use std::process::Command;

use crate::{Folder, Ran, run};

/// The scenes of one part of the file.
pub(super) struct Scenes {
    text: String,
    pub(super) folder: Folder,
}

impl Scenes {
    pub(super) fn new(title: &str) -> Self {
        let rule = "=".repeat(title.len());
        let folder = Folder::new(&format!("texts-{}", title.replace(' ', "-")));
        Self { text: format!("\n\n{title}\n{rule}\n"), folder }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Runs a command and keeps what it prints.
    pub(super) fn run(&mut self, situation: &str, command: &mut Command) {
        let ran = run(plain(command));
        self.add(situation, command, &ran);
    }

    /// Runs a command twice: for people and for scripts.
    pub(super) fn both(&mut self, situation: &str, make: impl Fn() -> Command) {
        self.run(situation, &mut make());
        self.run("", make().arg("--json"));
    }

    /// Keeps what a command has printed. Without a situation, it belongs to the scene before.
    pub(super) fn add(&mut self, situation: &str, command: &Command, ran: &Ran) {
        let args = command.get_args().map(|arg| quoted(&arg.to_string_lossy()));
        let args: Vec<_> = args.collect();
        let mut scene = format!("$ imts {}\n", args.join(" "));
        for line in ran.out.lines() {
            scene.push_str(&format!("{line}\n"));
        }
        for line in ran.err.lines() {
            scene.push_str(&format!("! {line}\n"));
        }
        if ran.code != 0 {
            scene.push_str(&format!("exit {}\n", ran.code));
        }
        self.note(situation, &scene);
    }

    /// Keeps a text that was printed.
    pub(super) fn note(&mut self, situation: &str, text: &str) {
        if !situation.is_empty() {
            self.text.push_str(&format!("\n# {situation}\n"));
        }
        for line in steady(text, &self.folder.path("")).lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

/// Sets what the texts depend on: the width of the screen and the user's name.
pub(super) fn plain(command: &mut Command) -> &mut Command {
    command.env("COLUMNS", "80").env("USER", "someone")
}

fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
    let short: String = arg.chars().take(200).collect();
    let arg = if short == arg { short } else { format!("{short}...") };
    if !arg.is_empty() && arg.chars().all(is_plain) { arg } else { format!("'{arg}'") }
}

/// Replaces ports, folders, dates, times, durations, digests and tokens.
pub(super) fn steady(text: &str, folder: &str) -> String {
    let version = concat!("imts ", env!("CARGO_PKG_VERSION"));
    let text = text.replace(folder, "FOLDER/").replace(version, "imts VERSION");
    let mut steady = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_inside = steady.ends_with(|c: char| c.is_ascii_alphanumeric() || "._".contains(c));
        let (word, length) = match placeholder(rest, &steady).filter(|_| !is_inside) {
            Some((word, length)) => (word.to_owned(), length),
            None => (first.to_string(), first.len_utf8()),
        };
        steady.push_str(&word);
        rest = &rest[length..];
    }
    steady
}

/// The placeholder for what the text begins with, and how long that is.
fn placeholder(rest: &str, before: &str) -> Option<(&'static str, usize)> {
    const LOOPBACK: &str = "127.0.0.1:";
    let length =
        |is_part: fn(char) -> bool, rest: &str| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let digits = |rest: &str| length(|c| c.is_ascii_digit(), rest);
    if let Some(port) = rest.strip_prefix(LOOPBACK) {
        return Some(("127.0.0.1:PORT", LOOPBACK.len() + digits(port)));
    }
    if rest.starts_with("eyJ") {
        return Some(("TOKEN", length(|c| c.is_ascii_alphanumeric() || "._-".contains(c), rest)));
    }
    let bytes = rest.as_bytes();
    let at = |place: usize| bytes.get(place).copied().unwrap_or_default();
    if (at(4), at(7), at(10)) == (b'-', b'-', b'T') && at(0).is_ascii_digit() {
        let date = length(|c| c.is_ascii_digit() || "TZ:.+-".contains(c), rest);
        return Some(("DATE", rest[..date].trim_end_matches([':', '.']).len()));
    }
    if (at(2), at(5), at(8)) == (b':', b':', b'Z') && at(0).is_ascii_digit() {
        return Some(("TIME", 9));
    }
    let hex = length(|c| c.is_ascii_digit() || ('a'..='f').contains(&c), rest);
    if hex == 16 && !at(16).is_ascii_alphanumeric() {
        return Some(("DIGEST", 16));
    }
    let number = length(|c| c.is_ascii_digit() || c == '.', rest);
    let number = rest[..number].trim_end_matches('.');
    let after = &rest[number.len()..];
    let unit =
        after.split(|c: char| !c.is_ascii_alphabetic() && c != ' ').next().unwrap_or_default();
    let unit = unit.split_inclusive(' ').take(2).collect::<String>();
    let is_measured = match unit.trim_end() {
        " s" | " ms" => true,
        "s" | "ms" | "us" => number.contains('.'),
        " bytes" => before.ends_with('(') && after.starts_with(" bytes)"),
        _ => before.ends_with("_s\":"),
    };
    (!number.is_empty() && is_measured).then_some(("N", number.len()))
}

#[cfg(test)]
mod tests {
    use super::steady;

    #[test]
    fn what_differs_from_run_to_run_is_replaced_and_nothing_else() {
        for (text, expected) in [
            ("http://127.0.0.1:4711/x", "http://127.0.0.1:PORT/x"),
            ("until 2026-11-30T01:02:03.5+00:00, if", "until DATE, if"),
            ("01:02:03Z  expired", "TIME  expired"),
            ("after 17 ms: 0.31 s are left", "after N ms: N s are left"),
            ("time_limit: 9.98s }", "time_limit: Ns }"),
            (r#"{"lifetime_s":899.5,"id":17}"#, r#"{"lifetime_s":N,"id":17}"#),
            ("digest 00ff00ff00ff00ff", "digest DIGEST"),
            ("such as 500ms, 10s or 2m; 65536 bytes", "such as 500ms, 10s or 2m; 65536 bytes"),
            ("in /tmp/f/journal", "in FOLDER/journal"),
        ] {
            assert_eq!(steady(text, "/tmp/f/"), expected);
        }
    }
}
