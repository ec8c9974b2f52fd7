//! The log of one thread, at its most talkative: what is logged there, and what a test does at that moment.

use std::cell::RefCell;
use std::sync::Once;

use log::{LevelFilter, Log, Metadata, Record};

struct Ear;

type React = Box<dyn FnMut(&str)>;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static REACT: RefCell<Option<React>> = const { RefCell::new(None) };
}

impl Log for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let told = record.args().to_string();
        // Taken out meanwhile: what it does may be logged as well.
        if let Some(mut react) = REACT.take() {
            react(&told);
            REACT.set(Some(react));
        }
        TOLD.with_borrow_mut(|all| all.push(told));
    }

    fn flush(&self) {}
}

/// What comes of `work`, and all that is logged on this thread meanwhile.
pub(crate) fn listen<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        log::set_logger(&Ear).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
    TOLD.take();
    let outcome = work();
    (outcome, TOLD.take())
}

/// What comes of `work`, during which `react` runs once, as soon as a line that begins so is logged; and whether
/// it ran.
pub(crate) fn when<T>(
    begins: &'static str,
    react: impl FnOnce() + 'static,
    work: impl FnOnce() -> T,
) -> (T, bool) {
    let mut react = Some(react);
    REACT.set(Some(Box::new(move |line| {
        if line.starts_with(begins)
            && let Some(react) = react.take()
        {
            react();
        }
    })));
    let (outcome, told) = listen(work);
    REACT.set(None);
    (outcome, told.iter().any(|line| line.starts_with(begins)))
}
