//! `imts verify`: says whether a signature fits, and explains a mismatch.
//!
//! Owns how a mismatch is reported. It is a failure, whatever explains it, and has no signature that
//! was expected. Does not know how a signature is verified: the library does.

mod jws;
mod pg_sig;

use imts::Recovery;
use serde_json::Value;

use crate::args::VerifyCommand;
use crate::failure::{Failure, Kind};
use crate::{interrupt, out};

pub(crate) fn run(command: VerifyCommand) -> Result<(), Failure> {
    let json = command.json();
    interrupt::ending("the signature was verified", move |stop| {
        let verified = match &command {
            VerifyCommand::Jws(args) => jws::verified(args)?,
            VerifyCommand::PgSig(args) => pg_sig::verified(args)?,
        };
        stop.take_over()?;
        match json {
            true => out::line(verified.json)?,
            false => out::line(verified.text)?,
        };
        Ok(())
    })
}

/// A signature that fits, for people and for scripts.
struct Verified {
    text: String,
    json: Value,
}

/// A signature that does not fit.
struct Mismatch {
    /// What was verified: lines for people.
    used: Vec<String>,
    /// The known mistakes with which it would fit.
    explained_by: Vec<String>,
    /// How many known mistakes were tried.
    tried: usize,
}

impl Mismatch {
    fn into_failure(self, why: impl std::fmt::Display) -> Failure {
        let mut advice = self.used;
        advice.extend(self.explained_by.iter().map(|by| format!("It would fit {by}.")));
        advice.push(match (self.tried, self.explained_by.is_empty()) {
            (0, _) => "Do not act on the message.".to_owned(),
            (_, false) => "Correct that, and do not act on the message as it is.".to_owned(),
            (tried, true) => format!(
                "None of {tried} known mistakes explains it. Check the key first, then that the bytes \
                 are as they came. Do not act on the message."
            ),
        });
        Failure::new(Kind::Signature, Recovery::Fix, why)
            .advising(advice.join("\n"))
            .with_detail("explained_by", self.explained_by)
            .with_detail("tried", self.tried)
    }
}
