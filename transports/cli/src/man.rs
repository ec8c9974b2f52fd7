//! `imts man`: the man pages, from the help texts.
//!
//! Owns the sections of a page. Each text is that of the help.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};

use crate::args::{self, Man};
use crate::failure::Failure;
use crate::out;

pub(crate) fn run(args: &Man) -> Result<(), Failure> {
    let pages = pages().map_err(Failure::usage)?;
    let count = pages.len();
    for (name, page) in pages {
        write(&args.folder, &name, &page)?;
    }
    let folder = args.folder.display();
    out::line(format_args!("{count} man pages written to {folder}"))?;
    Ok(())
}

fn write(folder: &Path, name: &str, page: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    fs::write(&path, page).map_err(|error| {
        let advice = match (folder.is_dir(), folder.exists()) {
            (true, _) => "",
            (false, true) => ": give a folder, and not a file",
            (false, false) => ": make the folder first",
        };
        Failure::usage(format!("cannot write {}: {error}{advice}", path.display()))
    })
}

/// Returns each page: the name of its file, and its text.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = args::command().disable_help_subcommand(true);
    command.build();
    let mut all = Vec::new();
    add(&command, &mut all)?;
    Ok(all)
}

fn add(command: &Command, all: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let page = Page::new(command.clone()).source(concat!("imts ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    section(&mut text, "EXAMPLE", command.get_before_help().map(ToString::to_string))?;
    section(&mut text, "NOTES", command.get_after_long_help().map(ToString::to_string))?;
    all.push((page.get_filename(), text));
    command.get_subcommands().filter(|it| !it.is_hide_set()).try_for_each(|it| add(it, all))
}

/// Adds a section. Its lines stay as they are: some are tables.
fn section(page: &mut Vec<u8>, title: &str, text: Option<String>) -> io::Result<()> {
    let Some(text) = text else { return Ok(()) };
    let text = text.trim_start_matches("Example: ");
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for line in text.lines() {
        if line.is_empty() {
            roff.control("PP", []);
        } else if line.starts_with(' ') || title == "EXAMPLE" {
            roff.control("nf", []);
            roff.text([roman(line)]);
            roff.control("fi", []);
        } else {
            roff.text([roman(line)]);
        }
    }
    roff.to_writer(page)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::pages;
    use crate::args;

    fn assert_each(command: &Command, name: &str, pages: &[(String, Vec<u8>)]) -> usize {
        let file = format!("{name}.1");
        let (_, page) =
            pages.iter().find(|(its, _)| *its == file).unwrap_or_else(|| panic!("{file}"));
        let page = String::from_utf8_lossy(page).replace("\\-", "-");
        let mut count = 0;
        for argument in command.get_arguments() {
            let flags = argument.get_long().map(|long| format!("--{long}"));
            let flags =
                flags.into_iter().chain(argument.get_short().map(|short| format!("-{short}")));
            for flag in flags {
                assert!(page.contains(&format!("\\fB{flag}\\fR")), "{file}:{flag}:{page}");
                count += 1;
            }
        }
        for below in command.get_subcommands().filter(|it| it.get_name() != "help") {
            assert!(page.contains(&format!("{name}-{}", below.get_name())), "{file}:{page}");
            count += assert_each(below, &format!("{name}-{}", below.get_name()), pages);
        }
        count
    }

    #[test]
    fn each_command_and_each_flag_is_on_its_page() {
        let mut command = args::command();
        command.build();
        assert!(assert_each(&command, "imts", &pages().unwrap()) > 100);
    }
}
