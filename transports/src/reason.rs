//! Why an exchange failed, in one line without secrets.

use std::error::Error as StdError;
use std::fmt;
#[cfg(feature = "_tls")]
use std::io;

#[cfg(feature = "_tls")]
use crate::tls::Reason as TlsReason;

/// The texts of an error and of its causes, in one line. The texts for rustls' errors say what to
/// do.
#[derive(Debug)]
pub(crate) struct Reason(String);

impl Reason {
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut text = text(error);
        let mut next = error.source();
        while let Some(source) = next {
            append(&mut text, &self::text(source));
            next = source.source();
        }
        Self(text)
    }
}

/// Appends what the text does not contain yet: an error may print its cause, which then follows
/// once more.
fn append(text: &mut String, more: &str) {
    if text.contains(more) {
        return;
    }
    for part in more.split(": ") {
        if !text.contains(part) {
            text.push_str(": ");
            text.push_str(part);
        }
    }
}

#[cfg(not(feature = "_tls"))]
fn text(error: &(dyn StdError + 'static)) -> String {
    error.to_string()
}

#[cfg(feature = "_tls")]
fn text(error: &(dyn StdError + 'static)) -> String {
    tls(error).map_or_else(|| error.to_string(), |error| TlsReason::of(error).to_string())
}

/// Returns rustls' error. The error that an `io::Error` was made of is not its source, but what it
/// is printed as; and it may be another `io::Error`.
#[cfg(feature = "_tls")]
fn tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        match error.downcast_ref() {
            Some(error) => return Some(error),
            None => error = error.downcast_ref::<io::Error>()?.get_ref()?,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Reason {}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::Reason;

    /// Prints its own text, and also its source's text if the flag is set.
    #[derive(Debug)]
    struct Layer(&'static str, bool, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match &self.2 {
                Some(source) if self.1 => write!(f, "{} ({source})", self.0),
                _ => f.write_str(self.0),
            }
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.2.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn each_cause_is_told_once_whether_or_not_its_error_tells_it_too() {
        let chain = |tells| {
            let root = Layer("refused", false, None);
            let middle = Layer("connect", tells, Some(Box::new(root)));
            Layer("send", tells, Some(Box::new(middle)))
        };
        assert_eq!(Reason::of(&chain(false)).to_string(), "send: connect: refused");
        assert_eq!(Reason::of(&chain(true)).to_string(), "send (connect (refused))");
    }

    #[test]
    fn what_is_told_by_two_ways_is_told_once() {
        let layers = |outer, inner| Layer(outer, false, Some(Box::new(Layer(inner, false, None))));
        for (outer, inner, told) in [
            ("read: reset by peer", "reset by peer", "read: reset by peer"),
            ("read: reset by peer", "stream: reset by peer", "read: reset by peer: stream"),
            ("reset by peer", "stream: reset by peer", "reset by peer: stream"),
            ("send", "timed out: timed out", "send: timed out"),
        ] {
            assert_eq!(Reason::of(&layers(outer, inner)).to_string(), told);
        }
    }
}
