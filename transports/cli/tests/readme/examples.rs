//! Every example asserts what it shows: one that only prints can be wrong for years.

use std::fs;
use std::path::{Path, PathBuf};

/// Examples without an assertion of their own: the file, a piece of them, and why they have none.
const WITHOUT: &[(&str, &str, &str)] = &[(
    "core/src/call/outcome.rs",
    "fn once(permit: Permit<Json>, until: Mono) -> Call<Json>",
    "that it compiles, where its neighbours must not, is what it shows",
)];

/// What asserts. A `?` alone does not: it says that something went well, and not what came of it.
const ASSERTS: &[&str] =
    &["assert!(", "assert_eq!(", "assert_ne!(", "assert_matches!(", ".expect_err(", ".unwrap_err("];

struct Example {
    place: String,
    code: String,
}

impl Example {
    /// Whether it asserts something, in a place that is reached.
    fn asserts(&self) -> bool {
        ASSERTS.iter().any(|word| self.code.contains(word)) && self.uncalled().is_none()
    }

    /// A hidden function around the example that nothing calls: it compiles, and never runs.
    fn uncalled(&self) -> Option<&str> {
        let hidden = self.code.lines().filter_map(|line| line.trim().strip_prefix("# "));
        let names = hidden.filter_map(|line| {
            let line = line.trim_start_matches("async ");
            line.strip_prefix("fn ")?.split(['(', '<']).next()
        });
        let mut names = names.filter(|name| *name != "main");
        names.find(|name| self.code.matches(&format!("{name}(")).count() < 2)
    }

    fn is_let_off(&self) -> bool {
        WITHOUT.iter().any(|(file, piece, _)| {
            self.place.starts_with(&format!("{file}:")) && self.code.contains(piece)
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder that end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Whether a block of this kind is compiled as Rust and run.
fn runs(kind: &str, in_rust: bool) -> bool {
    let words: Vec<_> = kind.split(',').map(str::trim).collect();
    let is_rust = match words[0] {
        "" => in_rust,
        word => ["rust", "should_panic"].contains(&word) || word.starts_with("edition"),
    };
    // What must not compile is held by that; what is not run cannot assert.
    is_rust && !words.iter().any(|word| ["no_run", "compile_fail", "text"].contains(word))
}

/// The examples in a page, or in the comments of a source.
fn blocks(path: &Path) -> Vec<Example> {
    let in_rust = path.extension().is_some_and(|end| end == "rs");
    let text = fs::read_to_string(path).unwrap();
    let mut examples = Vec::new();
    let mut open: Option<(bool, Example)> = None;
    for (number, line) in text.lines().enumerate() {
        let line = match in_rust {
            false => line,
            true => {
                let line = line.trim_start();
                let Some(comment) = line.strip_prefix("///").or(line.strip_prefix("//!")) else {
                    open = None;
                    continue;
                };
                comment.strip_prefix(' ').unwrap_or(comment)
            }
        };
        match (line.trim().strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                let place = format!("{}:{}", name(path), number + 1);
                open = Some((runs(kind, in_rust), Example { place, code: String::new() }));
            }
            (Some(_), Some(_)) => {
                examples.extend(open.take().filter(|(runs, _)| *runs).map(|(_, example)| example));
            }
            (None, Some((_, example))) => {
                example.code.push_str(line);
                example.code.push('\n');
            }
            (None, None) => {}
        }
    }
    examples
}

fn all() -> Vec<Example> {
    let sources = ["core/src", "transports/src", "transports/sandbox/src"];
    let pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "VERSIONING.md", "core/README.md"];
    let pages = pages.iter().chain(&["transports/sandbox/README.md"]);
    let paths = sources.iter().flat_map(|folder| files(folder, ".rs"));
    let paths = paths.chain(files("core/docs", ".md")).chain(pages.map(|page| root().join(page)));
    let paths = paths.chain(files("transports/docs", ".md"));
    let mut all: Vec<_> = paths.flat_map(|path| blocks(&path)).collect();
    for folder in ["core/examples", "transports/examples"] {
        all.extend(files(folder, ".rs").into_iter().map(|path| Example {
            place: format!("{}:1", name(&path)),
            code: fs::read_to_string(path).unwrap(),
        }));
    }
    all
}

#[test]
fn every_example_that_runs_asserts_what_it_shows() {
    let all = all();
    assert!(all.len() > 30, "{} examples are not all", all.len());
    let places = |part: &str| all.iter().filter(|it| it.place.starts_with(part)).count();
    for (part, least) in [("README.md", 2), ("core/docs/guide.md", 2), ("core/src", 4)] {
        assert!(places(part) >= least, "{part}: {}", places(part));
    }
    for part in ["transports/src", "transports/examples", "transports/docs/cookbook"] {
        assert!(places(part) >= 4, "{part}: {}", places(part));
    }
    let silent = all.iter().filter(|example| !example.asserts() && !example.is_let_off());
    let silent: Vec<_> = silent.map(|example| example.place.as_str()).collect();
    assert!(silent.is_empty(), "they assert nothing, or never run: {silent:#?}");
}
