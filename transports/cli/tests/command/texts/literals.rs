//! The texts in the source of the command, and which of them no test can provoke.

use std::fs;
use std::path::{Path, PathBuf};

use super::scenes::steady;

/// What cannot be provoked, or not in the same way each time: why, and the texts.
const CANNOT_BE_PROVOKED: [(&str, &[&str]); 14] = [
    (
        "a bug in the command",
        &[
            "the command failed because of a bug",
            "the command failed because of a bug; nothing was sent",
            "the command failed because of a bug while {what}",
            "{}: the command failed because of a bug. It may have been done: ask status, info or search, \
             and do not send it again unless they say that it was not done",
            "no sandbox was started",
            "the request was not signed",
        ],
    ),
    (
        "a machine without threads, signals or ports",
        &[
            "cannot start {count} threads: {error}",
            "cannot start a thread: {error}",
            "This machine is short of threads or of another resource. Free some, or raise its limits, and run it \
             again.",
            "cannot catch signals: {error}",
            "cannot start tokio's runtime: {error}",
            "cannot serve on loopback: {error}",
            "opening the journal",
            "cannot open a file descriptor: {error}",
            "cannot write to the file descriptor: {error}",
            "the pipe is too small",
            "the machine gives no random bytes for the salt",
            "cannot read the key from the terminal: {error}",
            "reading the journal",
        ],
    ),
    (
        "a keychain, or a build without one (keychain.rs has a fake one, secret_sources.rs none)",
        &[
            "this build of imts cannot read a keychain: build it with --features keyring, or name \
             another source of the secret",
            "the keychain has no entry of this service and user",
            "the keychain has several entries of this service and user",
            "the keychain cannot be read: {error}",
            "there is no keychain: {error}",
            "there is no keychain",
            "the keychain's entry cannot be read",
        ],
    ),
    (
        "another system",
        &[
            "imts exec does not work on this system: use `imts token --header`, or `imts token --show`",
        ],
    ),
    (
        "a journal in a database (shared_journal.rs starts one)",
        &[
            "the database has no tables for it",
            "Create them: imts journal migrate {url}",
            "its tables have version {found}, and this program needs version {needed}",
            "Bring them up to date: imts journal migrate {url}",
            "its tables have version {found}, and this program knows versions up to {known}",
            "Use a newer version of this program.",
            "the database may lose what it has committed, because {setting} is {value}",
            "Set {setting} to `on` for the user, the database or the server.",
            "the database has failed over or was restored, so it may not know all calls that were sent",
            "Ask the service what was sent. Once you know: imts journal accept {url} --reason TEXT",
            "the tables were changed",
            "No call is in doubt.",
            "the journal's tables were created, with version {to}",
            "the journal's tables have version {to} already",
            "the journal's tables have version {to} now; before, {from}",
            "{ask}. Its number: imts journal list {at}",
            "reading the journal's password",
            "the journal's password",
            "Check the address, the user's rights, and IMTS_JOURNAL_PASSWORD or --journal-password-file.",
        ],
    ),
    (
        "a store in PostgreSQL (shared_store.rs starts one)",
        &[
            "the database has no table for sessions. Create it: imts store migrate --store {url}",
            "creating the store's table",
            "{}: the table is there",
            "Check the address and the password, and that the user may create tables in the database.",
        ],
    ),
    (
        "a store that changes or stops at one moment of many",
        &[
            "nothing was forgotten: another process renews the session now",
            "{error}. The session goes on without it.",
            " Other processes may not get this session.",
            "Check the store, or leave it out with --no-store.",
            "  renewal        under way, for {left:.1} s at most",
            "; it may be used already",
            "the store answered",
            "reading the store's key",
            "reading the store's password",
            "opening the store",
            "reading the store",
            "emptying the store",
        ],
    ),
    (
        "a file system that does not sync folders (journal_file's own tests inject it)",
        &["Put the journal on a local disk. If the file is kept safe by other means, use \
           --allow-unsynced-folder."],
    ),
    (
        "a journal of 16 MiB that cannot be compacted (compact.rs makes one)",
        &["the journal was not compacted: {error}"],
    ),
    (
        "two callers of one client, which the command does not have",
        &["Wait for that call's outcome."],
    ),
    (
        "a signal at one moment of many",
        &[
            "the journal was read",
            "a signal",
            "all checks were made",
            "anything was signed",
            "the signature was verified",
        ],
    ),
    (
        "what a later failure replaces",
        &["the command was interrupted", "this command was interrupted"],
    ),
    (
        "what is written into a journal and not shown",
        &["answered by the command of `imts journal reconcile`"],
    ),
    (
        "a demo on a busy machine, or against a service that breaks a promise in one way of many \
         (demo.rs breaks each step)",
        &[
            "This machine is busy: tokens live {factor} times as long.",
            "a caller panicked",
            "one of {count} callers got an error: {error}",
            "the {count} callers did not all get the same token",
            "the first caller got a token before it could give up",
            "the first caller got an error: {error}",
            "call {number} ({}) ended as {told} and was applied {applied} times, promised were {} and {}",
            "waited {longest:?} without reaching: {what}",
            "the store is broken",
            "the hook saved nothing",
            "cannot build a second client",
            "the refresh in the background",
            "a request for a token in the outage failed in another way: {error}",
            "the restored session has another token",
            "the service saw {reused} refresh tokens used twice",
            "a new token came although the old one was valid",
            "the old token came although a new one was due",
            "the token's end",
            "the refresh of process 2",
            "the last two processes have different tokens",
            "cannot run this program again: {error}",
            "a process failed ({status}): {}",
            "a process is gone",
            "a process has {outcome} its token, promised was {wanted}",
            "the service saw {operation} -> {status} {came} times, promised were {promised}",
        ],
    ),
];

/// A folder's name that no text contains.
const NO_FOLDER: &str = "\0";

/// Returns each text of the source whose fixed parts are not all in `shown`, and each exception that is
/// not needed.
pub(super) fn missing(shown: &str) -> Vec<String> {
    let shown = squeezed(shown);
    let mut unused: Vec<_> = CANNOT_BE_PROVOKED.iter().flat_map(|(_, texts)| *texts).collect();
    let mut found = Vec::new();
    for file in files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = fs::read_to_string(&file).unwrap();
        for text in literals(&source).filter(|text| is_prose(text)) {
            let text = steady(&text, NO_FOLDER);
            if parts(&text).iter().all(|part| shown.contains(part)) {
                continue;
            }
            let excepted = CANNOT_BE_PROVOKED.iter().flat_map(|(_, texts)| *texts);
            match excepted.into_iter().find(|except| **except == text) {
                Some(except) => unused.retain(|text| *text != except),
                None => found.push(format!("{}: {text:?}", file.file_name().unwrap().display())),
            }
        }
    }
    found.extend(
        unused.into_iter().map(|text| format!("an exception that is not needed: {text:?}")),
    );
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// A text for people has a space between words.
fn is_prose(text: &str) -> bool {
    text.trim().contains(' ') && text.contains(char::is_alphabetic)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "!").collect::<Vec<_>>().join(" ")
}

/// The fixed parts of a text: what stands between its `{...}`.
fn parts(text: &str) -> Vec<String> {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let fixed = text.split('{').enumerate().map(|(place, part)| match place {
        0 => part,
        _ => part.split_once('}').map_or("", |(_, rest)| rest),
    });
    fixed.map(|part| squeezed(&part.replace('\u{1}', "{").replace('\u{2}', "}"))).collect()
}

/// Returns the string literals of a source, without those of comments.
fn literals(source: &str) -> impl Iterator<Item = String> {
    let mut all = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let before = &rest[..at];
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(text) = rest.strip_prefix('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before.trim_end_matches('#').ends_with('r');
            let end = if is_raw { raw_end(text, hashes) } else { plain_end(text) };
            all.push(if is_raw { text[..end].to_owned() } else { unescaped(&text[..end]) });
            rest = &text[end + 1..];
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\'") {
            rest = &rest[3..];
        } else {
            rest = &rest[1..];
        }
    }
    all.into_iter()
}

fn raw_end(text: &str, hashes: usize) -> usize {
    text.find(&format!("\"{}", "#".repeat(hashes))).unwrap()
}

fn plain_end(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.unwrap()
}

fn unescaped(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let text = lines.fold(first, |text, line| text + line.trim_start());
    text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::{literals, parts};

    #[test]
    fn the_literals_of_a_source_are_found_whole() {
        let source = r##"
            // "not this one"
            let a = "one \"text\" \
                     in two lines";
            let b = r#"a "raw" one"#; let c = '"'; let d = "after";
        "##;
        let found: Vec<_> = literals(source).collect();
        assert_eq!(found, ["one \"text\" in two lines", "a \"raw\" one", "after"]);
    }

    #[test]
    fn the_fixed_parts_are_those_between_the_braces() {
        assert_eq!(parts("call {id} ({}) is {{x}}"), ["call", "(", ") is {x}"]);
    }
}
