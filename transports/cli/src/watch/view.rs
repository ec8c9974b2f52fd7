//! Shows a session: as a bar that drains on a terminal, otherwise as lines, or as JSON if asked.
//!
//! Owns the words. Knows only what it is given about the session.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use imts::Epoch;
use imts::session::RenewalError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Next;
use crate::color::{self, Tone};
use crate::log::Log;
use crate::out::{self, NotPrinted, Reader};
use crate::values::seconds;

/// The state of a session at one moment, for display.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) phase: &'static str,
    pub(super) epoch: Option<Epoch>,
    /// The time left of the access token; `None` if no usable one exists.
    pub(super) remaining: Option<Duration>,
    pub(super) lifetime: Option<Duration>,
    pub(super) grants: u64,
    /// When the last grant came.
    pub(super) granted: Option<Instant>,
    pub(super) next: Next,
}

/// An event to show.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The watch begins.
    Started { base_url: &'a str, transport: &'static str },
    /// A token came: the first one, or one from a renewal.
    Granted { number: u64, sight: &'a Sight },
    /// The session entered another phase.
    Phase(&'a Sight),
    /// A renewal failed.
    RenewalError { error: &'a RenewalError, sight: &'a Sight },
    /// The command was interrupted.
    Ended { grants: u64 },
}

pub(super) enum View {
    Bar(ProgressBar),
    Lines,
    /// Failures and the end alone.
    Quiet,
    Json,
}

/// The bar's length. It moves in thousandths of the lifetime.
const WHOLE: u64 = 1_000;

const TEMPLATE: &str = "{prefix:<15} [{bar:30}] {msg}";

impl View {
    pub(super) fn new(json: bool, log: Log) -> Self {
        if json {
            return Self::Json;
        }
        if log.is_quiet() {
            return Self::Quiet;
        }
        // The log's lines would run into the bar.
        if !io::stdout().is_terminal() || !log.is_silent() {
            return Self::Lines;
        }
        let bar = ProgressBar::with_draw_target(Some(WHOLE), ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("##-"));
        Self::Bar(bar)
    }

    pub(super) fn tell(&mut self, event: &Event<'_>) -> Result<Reader, NotPrinted> {
        let now = DateTime::<Utc>::from(SystemTime::now());
        match self {
            Self::Json => {
                let mut line = event.to_json();
                line["at"] = now.to_rfc3339_opts(SecondsFormat::Millis, true).into();
                out::line(line)
            }
            Self::Quiet if !event.is_failure_or_end() => Ok(Reader::Listening),
            Self::Lines | Self::Quiet => {
                out::line(format_args!("{}  {event}", now.format("%H:%M:%SZ")))
            }
            Self::Bar(bar) => {
                match event {
                    // The bar itself shows it.
                    Event::Phase(_) => {}
                    Event::Ended { .. } => {
                        // The terminal has printed `^C` beside the bar, on an unknown line. What is
                        // there stays.
                        bar.set_draw_target(ProgressDrawTarget::hidden());
                        return out::line(format_args!("\n{}  {event}", now.format("%H:%M:%SZ")));
                    }
                    _ => bar.println(format!("{}  {event}", now.format("%H:%M:%SZ"))),
                }
                Ok(Reader::Listening)
            }
        }
    }

    pub(super) fn draw(&mut self, sight: &Sight) {
        let Self::Bar(bar) = self else { return };
        bar.set_prefix(sight.phase);
        bar.set_position(sight.part());
        bar.set_message(format!("{sight:#}"));
        bar.tick();
    }

    /// Removes the bar.
    pub(super) fn clear(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Sight {
    /// Returns what is left of the token, in thousandths of its lifetime.
    fn part(&self) -> u64 {
        let part = self.remaining.zip(self.lifetime).map_or(0.0, |(remaining, lifetime)| {
            remaining.as_secs_f64() / lifetime.as_secs_f64().max(f64::MIN_POSITIVE)
        });
        (part.clamp(0.0, 1.0) * WHOLE as f64).round() as u64
    }
}

/// The text beside the bar, and the text below it.
impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remaining.zip(self.lifetime) {
            Some((remaining, lifetime)) => {
                write!(f, "{} of {} left", Short(remaining), Short(lifetime))?;
            }
            None => f.write_str("no token")?,
        }
        // With `#`, this is on its own line: side by side, the parts are too long for a terminal.
        f.write_str(if f.alternate() { "\n                " } else { "; " })?;
        if let Some(granted) = self.granted {
            write!(f, "number {} came {} ago; ", self.grants, Short(granted.elapsed()))?;
        }
        match (self.next, self.phase) {
            (Next::UnderWay, "unauthenticated") => f.write_str("signing in"),
            (next, _) => next.fmt(f),
        }
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DueIn(left) => write!(f, "renewal in {}", Short(*left)),
            Self::UnderWay => f.write_str("renewing"),
            Self::AgainIn(left) => write!(f, "next try in {}", Short(*left)),
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { base_url, transport } => {
                write!(f, "watching {base_url} with {transport}; press Ctrl-C to end")
            }
            Self::Granted { number, sight } => {
                let how = if *number == 1 { "signed in" } else { "renewed" };
                let lifetime = Short(sight.lifetime.unwrap_or_default());
                let how = color::out(Tone::Good, how);
                write!(f, "{how}: token number {number} lives {lifetime}; {}", sight.next)
            }
            Self::Phase(sight) => write!(f, "{}: {sight}", sight.phase),
            Self::RenewalError { error, sight } => {
                write!(f, "{}; {}", color::out(Tone::Bad, error), sight.next)
            }
            Self::Ended { grants } => write!(f, "interrupted; tokens in all: {grants}"),
        }
    }
}

impl Event<'_> {
    fn is_failure_or_end(&self) -> bool {
        matches!(self, Self::RenewalError { .. } | Self::Ended { .. })
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Started { base_url, transport } => json!({
                "event": "started", "base_url": base_url, "transport": transport,
            }),
            Self::Granted { number, sight } => json!({
                "event": "granted",
                "number": number,
                "phase": sight.phase,
                "lifetime_s": sight.lifetime.map(seconds),
                "renewal_in_s": sight.next.in_seconds(),
            }),
            Self::Phase(sight) => json!({
                "event": "phase",
                "phase": sight.phase,
                "remaining_s": sight.remaining.map(seconds),
                "renewal_in_s": sight.next.in_seconds(),
            }),
            Self::RenewalError { error, sight } => json!({
                "event": "renewal_error",
                "message": error.to_string(),
                "recovery": error.recovery().as_str(),
                "phase": sight.phase,
                "remaining_s": sight.remaining.map(seconds),
                "renewal_in_s": sight.next.in_seconds(),
            }),
            Self::Ended { grants } => json!({ "event": "ended", "grants": grants }),
        }
    }
}

impl Next {
    /// Returns seconds; `None` while a renewal is under way.
    fn in_seconds(self) -> Option<Value> {
        match self {
            Self::DueIn(left) | Self::AgainIn(left) => Some(seconds(left)),
            Self::UnderWay => None,
        }
    }
}

/// A duration for quick reading: tenths of a second below a minute, whole seconds above.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(60) {
            return write!(f, "{:.1} s", self.0.as_secs_f64());
        }
        let seconds = self.0.as_secs();
        write!(f, "{}", humantime::format_duration(Duration::from_secs(seconds)))
    }
}
