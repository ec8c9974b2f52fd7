//! Whether texts for people are colored, and how.
//!
//! Owns the choice of `--color`, of NO_COLOR and of CLICOLOR_FORCE, for stdout and for stderr. JSON
//! is never colored: only what a caller paints is.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// When texts are colored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set; elsewhere only if CLICOLOR_FORCE is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// Sets the choice for this process.
pub(crate) fn choose(when: When) {
    match when {
        When::Auto => ColorChoice::Auto,
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Returns the choice on a command line that may be wrong elsewhere, for the parser's own texts.
pub(crate) fn chosen(args: impl Iterator<Item = OsString>) -> When {
    let (mut chosen, mut is_next) = (When::Auto, false);
    for arg in args.take_while(|arg| arg != "--") {
        let value = if is_next {
            arg.to_str()
        } else {
            arg.to_str().and_then(|arg| arg.strip_prefix("--color="))
        };
        let value = value.and_then(|value| When::from_str(value, false).ok());
        chosen = value.unwrap_or(chosen);
        is_next = arg == OsStr::new("--color");
    }
    chosen
}

/// What a color means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
    Doubt,
}

/// Colors a text for stdout.
pub(crate) fn out<T: Display>(tone: Tone, text: T) -> Painted<T> {
    Painted { tone, text, is_on: is_on(&io::stdout()) }
}

/// Colors a text for stderr.
pub(crate) fn err<T: Display>(tone: Tone, text: T) -> Painted<T> {
    Painted { tone, text, is_on: is_on(&io::stderr()) }
}

fn is_on(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// A text with its color, if it has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted<T> {
    tone: Tone,
    text: T,
    is_on: bool,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.is_on {
            return self.text.fmt(f);
        }
        let color = match self.tone {
            Tone::Good => AnsiColor::Green,
            Tone::Bad => AnsiColor::Red,
            Tone::Doubt => AnsiColor::Yellow,
        };
        let style = Style::new().bold().fg_color(Some(color.into()));
        write!(f, "{style}{}{style:#}", self.text)
    }
}
