//! What the demo prints, for people or as JSON lines.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::control::Call;
use crate::color::{self, Tone};
use crate::log::Log;
use crate::out;

/// Prints events as they happen.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    is_quiet: bool,
    began: Instant,
    steps: Vec<Value>,
    failed: usize,
}

impl Report {
    pub(crate) fn new(json: bool, log: Log) -> Self {
        let (is_quiet, began) = (log.is_quiet() && !json, Instant::now());
        Self { json, is_quiet, began, steps: Vec::new(), failed: 0 }
    }

    pub(crate) fn started(&self, url: &str, own: bool, transport: &str) {
        let whose = if own { "started by the demo" } else { "given by --base-url" };
        self.event(
            || json!({ "event": "started", "base_url": url, "transport": transport }),
            || {
                format!(
                    "The demo runs a session over a real socket with {transport}. Its tokens live \
                     up to three seconds.\nThe service is a sandbox at {url} ({whose})."
                )
            },
        );
    }

    /// Prints the factor for all times, if the machine is busy.
    pub(crate) fn pace(&self, factor: u32) {
        if factor > 1 {
            self.event(
                || json!({ "event": "pace", "factor": factor }),
                || format!("This machine is busy: tokens live {factor} times as long."),
            );
        }
    }

    pub(crate) fn step(&self, name: &str, title: &str) {
        self.event(
            || json!({ "event": "step", "name": name, "title": title }),
            || format!("\n{title}"),
        );
    }

    /// Prints what the client saw, in a phase of its session.
    pub(crate) fn phase(&self, phase: &str, text: &str) {
        let at = self.began.elapsed();
        self.event(
            || json!({ "event": "phase", "at_s": round(at), "phase": phase, "text": text }),
            || format!("  {:>6.2} s  {phase:<15}  {text}", at.as_secs_f64()),
        );
    }

    /// Prints a request that reached the service, as in its log.
    pub(crate) fn call(&self, call: &Call) {
        let Call { operation, status, meaning } = call;
        self.event(
            || json!({ "event": "call", "operation": operation, "status": status, "meaning": meaning }),
            || format!("            the service saw  {operation} -> {status}: {meaning}"),
        );
    }

    /// Prints many requests that reached the service, grouped.
    pub(crate) fn calls(&self, calls: &[Call]) {
        let mut counts: BTreeMap<(&str, u16, &str), usize> = BTreeMap::new();
        for Call { operation, status, meaning } in calls {
            *counts.entry((operation, *status, meaning)).or_default() += 1;
        }
        for ((operation, status, meaning), count) in counts {
            self.event(
                || json!({ "event": "call", "operation": operation, "status": status, "meaning": meaning, "count": count }),
                || format!("            the service saw  {count:>3} x {operation} -> {status}: {meaning}"),
            );
        }
    }

    pub(crate) fn step_done(
        &mut self,
        name: &str,
        expected: usize,
        seen: usize,
        wrong: Option<&str>,
    ) {
        let ok = wrong.is_none();
        let mut step = json!({
            "name": name, "ok": ok, "calls_expected": expected, "calls_seen": seen,
        });
        if let Some(wrong) = wrong {
            step["wrong"] = wrong.into();
            self.failed += 1;
        }
        let plural = if seen == 1 { "call" } else { "calls" };
        let verdict = match wrong {
            None => {
                format!("            {}: {seen} {plural}", color::out(Tone::Good, "as promised"))
            }
            Some(wrong) => {
                let at = if self.is_quiet { format!("{name}: ") } else { " ".repeat(12) };
                format!("{at}{}: {wrong}", color::out(Tone::Bad, "NOT AS PROMISED"))
            }
        };
        let mut event = step.clone();
        event["event"] = "step_done".into();
        if ok {
            self.event(|| event, || verdict);
        } else {
            self.result(|| event, || verdict);
        }
        self.steps.push(step);
    }

    /// Ends the report. Returns how many steps failed.
    pub(crate) fn finish(&self) -> usize {
        let (failed, steps) = (self.failed, self.steps.len());
        let took = self.began.elapsed();
        let line = if self.is_quiet { "" } else { "\n" };
        self.result(
            || json!({ "event": "done", "ok": failed == 0, "took_s": round(took), "steps": self.steps }),
            || match failed {
                0 => {
                    let all = format!("All {steps} steps as promised");
                    format!("{line}{}, in {:.1} s.", color::out(Tone::Good, all), took.as_secs_f64())
                }
                _ => {
                    let some = format!("{failed} of {steps} steps NOT as promised.");
                    format!("{line}{}", color::out(Tone::Bad, some))
                }
            },
        );
        failed
    }

    /// Prints progress.
    fn event(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        if !self.is_quiet {
            self.result(json, text);
        }
    }

    /// Prints a result or an error.
    fn result(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        // If stdout is closed, the exit code still reports the result.
        drop(if self.json { out::line(json()) } else { out::line(text()) });
    }
}

/// Rounds to seconds with milliseconds.
fn round(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).round() / 1_000.0
}
