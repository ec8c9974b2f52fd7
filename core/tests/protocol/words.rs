//! The text of a failure, and what to do about it.

use std::error::Error;
use std::time::Duration;

use imts_core::transport_error::NotSent;
use imts_core::{Recovery, TransportError};

#[test]
fn a_failure_says_how_far_the_request_had_come_and_holds_its_cause() {
    let not_sent = || TransportError::not_sent(NotSent::vouch());
    for (failure, words) in [
        (not_sent(), "the service could not be reached"),
        (not_sent().timed_out(), "timed out connecting to the service"),
        (TransportError::unknown(), "the connection broke before the reply was complete"),
        (TransportError::unknown().timed_out(), "timed out waiting for a complete reply"),
    ] {
        assert_eq!(failure.to_string(), words);
        assert_eq!(failure.is_timed_out(), words.starts_with("timed out"));
        assert!(failure.source().is_none() && failure.cause().is_none());
        let failure = failure.because(std::io::Error::other("the cable is cut"));
        assert_eq!(failure.to_string(), format!("{words} (the cable is cut)"));
        assert_eq!(failure.cause().unwrap().to_string(), "the cable is cut");
        assert!(failure.source().is_none(), "it was printed already");
    }
}

#[test]
fn only_what_may_pass_says_how_long_to_wait() {
    let after = Some(Duration::from_secs(7));
    for (recovery, word) in [
        (Recovery::Retry { after }, "retry"),
        (Recovery::SignIn, "sign_in"),
        (Recovery::Resolve, "resolve"),
        (Recovery::Fix, "fix"),
        (Recovery::Report, "report"),
    ] {
        assert_eq!((recovery.as_str(), recovery.to_string().as_str()), (word, word));
        assert_eq!(recovery.retry_after(), if word == "retry" { after } else { None });
    }
}
