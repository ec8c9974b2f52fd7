//! `imts config check`: tries each setting, and sends no request.
//!
//! Owns the order of the checks, and how they are reported. Does not know how a setting is used: it
//! asks the modules that use it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use imts::{JournalFile, Recovery};
use serde_json::{Map, Value, json};

use crate::args::{JournalAt, ServiceArgs, Settings};
use crate::carrier::{Network, is_plain};
use crate::failure::{Failure, Kind};
use crate::interrupt::Stop;
use crate::journal::Opened;
use crate::log::Log;
use crate::register::Register;
use crate::settings::{self, SecretSource};
use crate::timeout::TimeLimit;
use crate::{out, service_file, store};

/// Makes all checks, and prints each as a line.
pub(super) fn run(args: &Settings, stop: &Stop) -> Result<(), Failure> {
    let service = &args.service;
    let limit = TimeLimit::of(args.timeout);
    let mut checks = Checks { all: Vec::new(), json: args.json };
    checks.add("profile", Ok((profile(service), ())))?;
    let endpoint = settings::endpoint_of(service);
    let endpoint = checks.add("base_url", endpoint.map(|it| (it.as_str().to_owned(), it)))?;
    checks.add("agent_id", settings::agent_id(service).map(|id| (id.to_owned(), ())))?;
    checks.add("secret", secret(args).map(|from| (from, ())))?;
    checks.add("service_file", operations(service, limit).map(|it| (it, ())))?;
    checks.add("store", store(service, limit).map(|it| (it, ())))?;
    checks.add("journal", journal(args, limit).map(|it| (it, ())))?;
    let network = Network::of(service, endpoint.as_ref());
    let trusted = match &service.ca_file {
        Some(path) => format!("the machine's and {}", path.display()),
        None => "the machine's".to_owned(),
    };
    let (of_tls, of_proxy) = (network.clone(), network.clone());
    let tls = limit.bound("reading certificates", move || of_tls.tls());
    let tls = checks.add("ca_file", tls.map(|tls| (trusted, tls)))?;
    let proxy = limit.bound("reading the proxy's URL", move || of_proxy.proxy());
    let proxy = checks.add("proxy", proxy.map(|it| (shown(it.is_some()).to_owned(), it)))?;
    stop.check()?;
    let (Some(endpoint), Some(tls), Some(proxy)) = (endpoint, tls, proxy) else {
        checks.leave_out("connection", "it needs the base URL, the certificates and the proxy")?;
        return checks.end();
    };
    let by = if is_plain(&endpoint) { "by TCP" } else { "by TCP and TLS" };
    let builder = network.ureq(tls, proxy);
    let within = limit.left();
    let connected = limit.bound("connecting", move || {
        builder.try_connection(&endpoint, within).map_err(|error| {
            let kind = if error.is_timed_out() { Kind::TimedOut } else { Kind::Transport };
            Failure::new(kind, Recovery::Retry { after: None }, error)
        })
    });
    let words = format!("{by}; no request was sent");
    checks.add("connection", connected.map(|()| (words, ())))?;
    checks.end()
}

fn shown(has_proxy: bool) -> &'static str {
    if has_proxy { "its URL can be used" } else { "none" }
}

fn profile(service: &ServiceArgs) -> String {
    match &service.chosen.profile {
        Some((profile, origin)) => format!("{}, named by {origin}", profile.name),
        None => "none is named".to_owned(),
    }
}

/// Gets the secret. It is not shown, and not sent.
fn secret(args: &Settings) -> Result<String, Failure> {
    let from = match settings::secret_source(&args.service)? {
        Some(SecretSource::Text(source)) => source.to_string(),
        Some(SecretSource::Profile(from, _)) => from.to_string(),
        None => String::new(),
    };
    settings::secret(&args.service, args.timeout).map(|_| format!("read from {from}"))
}

fn operations(service: &ServiceArgs, limit: TimeLimit) -> Result<String, Failure> {
    let file = service.service_file.as_deref();
    let service = service_file::of(file, limit.left())?;
    let with_path = service.operations().iter().filter(|it| it.path().is_some()).count();
    let file = file.map_or("none".to_owned(), |file| file.display().to_string());
    Ok(format!("{file}; operations with a path: {with_path}"))
}

/// Reads the agent's entry in the store. It is not changed.
fn store(service: &ServiceArgs, limit: TimeLimit) -> Result<String, Failure> {
    let known = settings::endpoint_of(service).ok().zip(settings::agent_id(service).ok());
    let at = known.as_ref().and_then(|(at, agent)| store::place(service, at.as_str(), agent));
    let Some(((endpoint, agent_id), at)) = known.zip(at) else { return Ok("none".to_owned()) };
    let register = Register::opened(service, endpoint, agent_id, at.clone(), limit)?;
    let generation = register.look()?.stamp().generation;
    Ok(match generation {
        0 => format!("{at}; nothing is stored"),
        generation => format!("{at}; generation {generation}"),
    })
}

fn journal(args: &Settings, limit: TimeLimit) -> Result<String, Failure> {
    match args.sending.journal.clone() {
        None => Ok("none".to_owned()),
        Some(JournalAt::File(file)) => limit.bound("reading the journal", move || read(&file)),
        Some(at @ JournalAt::Database(_)) => {
            let (options, ca_file) = (JournalFile::options(), args.service.ca_file.as_deref());
            let password = &args.sending.password;
            let log = Log::new(0, true);
            let mut journal = Opened::for_call(&at, password, ca_file, &options, limit, log)?;
            Ok(format!("{at}; {} in doubt", journal.in_doubt()?.len()))
        }
    }
}

/// Reads a journal, and changes nothing.
fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let unusable = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("the journal {shown} cannot be used: {why}"))
    };
    match file.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match file.parent() {
                Some(folder) if folder != Path::new("") && !folder.is_dir() => {
                    Err(unusable(&format!("there is no folder {}: create it", folder.display())))
                }
                _ => Ok(format!("{shown} does not exist: the first call creates it")),
            };
        }
        Err(error) => return Err(unusable(&error)),
        Ok(_) => {}
    }
    let book = JournalFile::read(file).map_err(|error| unusable(&error))?;
    // Opening for appending changes nothing, and shows whether a call could be recorded.
    File::options().append(true).open(file).map_err(|error| unusable(&error))?;
    Ok(format!("{shown}; {} in doubt", book.in_doubt().count()))
}

/// The checks so far.
struct Checks {
    all: Vec<(&'static str, State, String, Option<Failure>)>,
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Failed,
    LeftOut,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Failed => "failed",
            Self::LeftOut => "left_out",
        }
    }
}

impl Checks {
    /// Adds a check, and prints it for people. Returns what a later check needs of it.
    fn add<T>(
        &mut self,
        name: &'static str,
        outcome: Result<(String, T), Failure>,
    ) -> Result<Option<T>, Failure> {
        match outcome {
            Ok((words, of_use)) => {
                self.push(name, State::Good, words, None)?;
                Ok(Some(of_use))
            }
            Err(failure) if failure.kind() == Kind::Interrupted => Err(failure),
            Err(failure) => {
                self.push(name, State::Failed, failure.message().to_owned(), Some(failure))?;
                Ok(None)
            }
        }
    }

    fn leave_out(&mut self, name: &'static str, why: &str) -> Result<(), Failure> {
        self.push(name, State::LeftOut, why.to_owned(), None)
    }

    fn push(
        &mut self,
        name: &'static str,
        state: State,
        words: String,
        failure: Option<Failure>,
    ) -> Result<(), Failure> {
        if !self.json {
            let advice = failure.as_ref().and_then(Failure::advice);
            let below = format!("\n{:24}", "");
            let advice = advice.map_or(String::new(), |it| format!("\n{it}").replace('\n', &below));
            out::line(format_args!("{:8}  {name:12}  {words}{advice}", state.as_str()))?;
        }
        self.all.push((name, state, words, failure));
        Ok(())
    }

    /// Ends the checks. The failure is of the kind of the worst of them.
    fn end(self) -> Result<(), Failure> {
        let objects: Vec<_> = self.all.iter().map(object).collect();
        let failures: Vec<_> =
            self.all.iter().filter_map(|(.., failure)| failure.as_ref()).collect();
        let Some(first) = failures.first() else {
            if self.json {
                out::line(json!({ "checks": objects }))?;
            }
            return Ok(());
        };
        let (count, all) = (failures.len(), self.all.len());
        let is_local = failures.iter().any(|it| it.kind().exit_code() == Kind::Usage.exit_code());
        let (kind, recovery) = match is_local {
            true => (Kind::Usage, Recovery::Fix),
            false => (first.kind(), Recovery::Retry { after: None }),
        };
        let details = Map::from_iter([("checks".to_owned(), Value::from(objects))]);
        let message = format!("{count} of {all} checks failed; nothing was sent");
        let failure = Failure::new(kind, recovery, message).with_details(details);
        Err(failure.advising(
            "Each check says what to do. `imts config show` shows where each setting comes from.",
        ))
    }
}

fn object((name, state, words, failure): &(&str, State, String, Option<Failure>)) -> Value {
    let advice = failure.as_ref().and_then(Failure::advice);
    json!({ "check": name, "state": state.as_str(), "message": words, "advice": advice })
}
