//! `imts call`: one call of one operation, and its outcome.
//!
//! Owns what is sent: the request, its name, the journal that is asked first. Does not know how the
//! outcome is reported: [`outcome`] does. Does not know when a request may be sent again: the
//! library does.

mod named;
mod outcome;
mod progress;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use imts::journal::{Despite, Digest};
use imts::operation::Json;
use imts::{Class, Outcome, Policy};

use self::named::Named;
use self::outcome::{About, To};
use self::progress::Progress;
use crate::args::Call;
use crate::data::Data;
use crate::failure::Failure;
use crate::interrupt::{First, Race};
use crate::journal::Opened;
use crate::log::Log;
use crate::settings::{self, Connection};
use crate::store::Shared;
use crate::timeout::TimeLimit;
use crate::{child, journal, service_file};

pub(crate) fn run(args: Call, log: Log) -> Result<(), Failure> {
    let progress = Arc::new(Progress::default());
    let (begun, of_exit) = (Arc::clone(&progress), Arc::clone(&progress));
    let json = args.json;
    let race = Race::begin(move || of_exit.exit_code())?;
    let first = race.run(move || perform(&args, log, &begun).map(Box::new))?;
    let ended = match first {
        First::Ended(Some(ended)) => ended,
        First::Ended(None) => return Err(progress.panicked()),
        First::Signal(signal, rest) => {
            let reported = progress.interrupted(signal, rest, json);
            child::end_all();
            return reported;
        }
    };
    let outcome = ended?;
    progress.about()?.tell(*outcome, json)
}

/// Sends the request, and returns its outcome.
fn perform(args: &Call, log: Log, progress: &Progress) -> Result<Outcome<Json>, Failure> {
    let limit = TimeLimit::of(args.timeout);
    if args.resend_despite.is_some() && args.sending.journal.is_none() {
        return Err(Failure::usage("--resend-despite needs a journal: give --journal FILE"));
    }
    let service = service_file::of(args.service.service_file.as_deref(), limit.left())?;
    let service = service_file::with_callable(service, &args.operation, args.path.as_deref())?;
    let data = Data::of(&args.data)?;
    let secret = usize::from(args.service.secret_file.as_deref() == Some(Path::new("-")));
    match (data.reads_of_stdin(), secret) {
        (1.., 1) => {
            return Err(Failure::usage(
                "stdin cannot be both the secret and the data: give one of them as a file",
            ));
        }
        (2.., _) => {
            return Err(Failure::usage(
                "stdin cannot be two fields of the data: give one of them as a file",
            ));
        }
        _ => {}
    }
    let request = limit.bound("reading the data", move || data.read())?;
    let entry = service.operations().entry(&args.operation);
    let about = About {
        operation: args.operation.clone(),
        class: entry.map_or(Class::Money, imts::catalogue::OperationInfo::class),
        reference: reference(args.reference.as_deref())?,
        digest: Digest::of(request.as_str().as_bytes()),
        journal: args.sending.journal.clone(),
        to: OnceLock::new(),
    };
    let about = progress.is_about(about);
    let Connection { endpoint, builder, carrier, limit, store } =
        settings::connection(&args.service, service, limit.left())?;
    let profile = args.service.chosen.name().map(str::to_owned);
    about.goes_to(To { base_url: endpoint.as_str().to_owned(), profile });
    let mut policy = Policy::default();
    policy.time_limit = limit.left();
    let mut builder = builder.policy(policy);
    let mut named = None;
    if let Some(at) = &about.journal {
        let (options, password) = (journal::options(&args.sending.folder), &args.sending.password);
        let ca_file = args.service.ca_file.as_deref();
        let journal = Opened::for_call(at, password, ca_file, &options, limit, log)?;
        named = args.resend_despite.map(|id| Named::of(&journal, id)).transpose()?;
        builder = journal.given_to(builder);
    }
    let client = carrier.gated_client(builder.patience(limit.left()), log, progress.gate())?;
    let client = progress.goes_by(client);
    let mut call = client.call_named(&about.operation, &request).map_err(Failure::usage)?;
    if let Some(reference) = &args.reference {
        call = call.with_reference(reference.as_str());
    }
    if let Some(limit) = args.sending.reply_limit {
        call = call.with_reply_limit(limit);
    }
    if let (Some(id), Some(reason)) = (args.resend_despite, args.reason.clone()) {
        call = call.despite(Despite { id, reason, by: journal::user() });
    }
    if let Some(named) = named {
        named.check(call.reference())?;
    }
    about.is_named(call.reference());
    let outcome = client.perform(call).map_err(|error| about.not_admitted(&error));
    if store.is_some() {
        Shared::hand_over(client, limit.left());
    }
    outcome
}

/// Returns the caller's own name for the call, if one is given.
fn reference(given: Option<&str>) -> Result<OnceLock<String>, Failure> {
    match given {
        None => Ok(OnceLock::new()),
        Some(blank) if blank.trim().is_empty() => {
            Err(Failure::usage("the reference is blank: give --reference ID, or leave it out"))
        }
        Some(given) => Ok(OnceLock::from(given.to_owned())),
    }
}
