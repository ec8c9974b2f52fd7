//! `imts store`: what a store holds for an agent, emptying it, and creating its table.
//!
//! Owns what is shown of an entry: never a token. Does not know which store it is: [`store`] does.

use std::time::Duration;

use imts::postgres::PostgresError;
use imts::session::Usable;
use imts::store::postgres::PostgresStoreError;
use imts::store::{Store, StoreError};
use imts::swap::{Found, Swap, Swapped};
use imts::transport_error::NotSent;
use imts::{Builder, Client, Endpoint, Recovery, Saved, TransportError};
use serde_json::{Value, json};

use crate::args::{ServiceArgs, StoreCommand, StoreFrom, StoreOf};
use crate::failure::{Failure, Kind};
use crate::store::{self, At, NoTable, Shared};
use crate::timeout::TimeLimit;
use crate::values::{date, seconds};
use crate::{interrupt, out, settings};

/// How long one swap may take.
const WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn run(command: StoreCommand) -> Result<(), Failure> {
    interrupt::ending("the store answered", move |stop| {
        let line = match &command {
            StoreCommand::Show(args) => show(args)?,
            StoreCommand::Forget(args) => forget(args)?,
            StoreCommand::Migrate(args) => migrate(args)?,
        };
        stop.take_over()?;
        out::line(line)?;
        Ok(())
    })
}

/// An agent's entry in a store.
pub(crate) struct Register {
    shared: Shared,
    at: At,
    endpoint: Endpoint,
    agent_id: String,
    limit: TimeLimit,
}

impl Register {
    fn of(args: &StoreOf) -> Result<Self, Failure> {
        let (service, limit) = (&args.service, TimeLimit::of(args.timeout));
        let endpoint = settings::endpoint_of(service)?;
        let agent_id = settings::agent_id(service)?.to_owned();
        let at = store::place(service, endpoint.as_str(), &agent_id).ok_or_else(|| {
            Failure::usage("no store: give --store, or name a profile, whose session is cached")
        })?;
        Self::opened(service, endpoint, &agent_id, at, limit)
    }

    pub(crate) fn opened(
        service: &ServiceArgs,
        endpoint: Endpoint,
        agent_id: &str,
        at: At,
        limit: TimeLimit,
    ) -> Result<Self, Failure> {
        let shared = store::opened(service, at.clone(), limit)?;
        Ok(Self { shared, at, endpoint, agent_id: agent_id.to_owned(), limit })
    }

    /// Reads the entry.
    pub(crate) fn look(&self) -> Result<Found, Failure> {
        let within = WITHIN.min(self.limit.left());
        let look = Swap::look(self.endpoint.as_str(), self.agent_id.as_str(), within);
        let store = self.shared.store.clone();
        let answer = self.limit.bound("reading the store", move || Ok(store.swap(&look)))?;
        match answer.map_err(|error| failed(&error))? {
            Swapped::Other(found) => Ok(found),
            Swapped::Done { at, .. } => Ok(Found::nothing(at)),
        }
    }

    /// Builds a client of this entry. It has no credentials, and sends nothing.
    fn client(&self, store: impl Store + 'static) -> Result<Client, Failure> {
        let builder = Builder::new(self.endpoint.clone()).agent(&self.agent_id).store(store);
        let patience = WITHIN.min(self.limit.left());
        builder
            .patience(patience)
            .blocking(|_, _| Err(TransportError::not_sent(NotSent::vouch())))
            .map_err(Failure::endpoint)
    }
}

fn show(args: &StoreOf) -> Result<String, Failure> {
    let register = Register::of(args)?;
    let found = register.look()?;
    let store = register.shared.store.clone();
    // The library says what the entry means. It may read it, and not change it.
    let client = register.client(move |swap: &Swap| match swap.put() {
        None => store.swap(swap),
        Some(_) => Err(StoreError::TimedOut),
    })?;
    drop(client.token());
    let saved = found.saved().filter(|saved| !saved.is_empty());
    let phase = client.phase(|phase| {
        let usable = phase.usable();
        json!({
            "phase": saved.map(|_| phase.as_str()),
            "access_expire_at": usable.map(|usable| date(usable.access_expire_at())),
            "remaining_s": usable.map(|usable| seconds(usable.remaining())),
            "refresh_expire_at": usable.and_then(Usable::refresh_expire_at).map(date),
        })
    });
    let entry = object(&register, &found, phase);
    Ok(if args.json { entry.to_string() } else { text(&register, &found, &entry) })
}

/// Formats an entry for scripts.
fn object(register: &Register, found: &Found, mut entry: Value) -> Value {
    let stamp = found.stamp();
    entry["store"] = register.at.to_string().into();
    entry["kind"] = register.shared.kind.into();
    entry["generation"] = stamp.generation.into();
    entry["holder"] = format!("{:016x}", stamp.holder).into();
    entry["serial"] = stamp.serial.into();
    entry["age_s"] = seconds(found.age());
    entry["in_doubt"] = found.saved().is_some_and(Saved::is_in_doubt).into();
    entry["held"] = found.held().map_or(
        Value::Null,
        |held| json!({ "left_s": seconds(held.left()), "resting": held.is_resting() }),
    );
    entry
}

/// Formats an entry for people.
fn text(register: &Register, found: &Found, entry: &Value) -> String {
    let Register { at, endpoint, agent_id, .. } = register;
    let mut lines = vec![format!("{at}: agent {} of {endpoint}", agent_id.escape_debug())];
    let (stamp, age) = (found.stamp(), found.age().as_secs_f64());
    let put = format!("generation {}, {age:.1} s old, by {:016x}", stamp.generation, stamp.holder);
    let field = |name: &str| entry[name].as_str().unwrap_or("none");
    match entry["phase"].as_str() {
        None if stamp.generation == 0 => {
            lines.push("  session        nothing is stored".to_owned());
        }
        None => lines.push(format!("  session        empty; {put}")),
        Some(phase) => {
            lines.push(format!("  session        {phase}; {put}"));
            lines.push(format!("  access token   until {}", field("access_expire_at")));
            let doubt = match entry["in_doubt"] == true {
                true => "; it may be used already",
                false => "",
            };
            lines.push(format!("  refresh token  until {}{doubt}", field("refresh_expire_at")));
        }
    }
    if let Some(held) = found.held() {
        let left = held.left().as_secs_f64();
        lines.push(match held.is_resting() {
            true => format!("  renewal        failed; all wait for {left:.1} s"),
            false => format!("  renewal        under way, for {left:.1} s at most"),
        });
    }
    lines.join("\n")
}

fn forget(args: &StoreOf) -> Result<String, Failure> {
    let register = Register::of(args)?;
    // An entry that cannot be read is not emptied either: this says why.
    register.look()?;
    let client = register.client(register.shared.store.clone())?;
    let emptied = register.limit.bound("emptying the store", move || {
        let emptied = client.sign_out_everywhere();
        emptied.map_err(|error| again(Kind::Transport, error))
    });
    emptied?;
    let found = register.look()?;
    if !found.saved().is_none_or(Saved::is_empty) {
        return Err(again(
            Kind::InProgress,
            "nothing was forgotten: another process renews the session now",
        ));
    }
    Ok(match args.json {
        true => json!({ "store": register.at.to_string(), "forgotten": true }).to_string(),
        false => format!("{}: forgotten. The agent's processes sign in again.", register.at),
    })
}

fn migrate(args: &StoreOf) -> Result<String, Failure> {
    let Some(StoreFrom::Postgres(database)) = &args.service.store.store else {
        return Err(Failure::usage(
            "only a store in PostgreSQL has a table: give --store postgres://USER@HOST/DATABASE",
        ));
    };
    let migrated = store::migrate(&args.service, database, TimeLimit::of(args.timeout))?;
    migrated.map_err(|error| match store::cause(&error) {
        Some(
            PostgresStoreError::Refused(_)
            | PostgresStoreError::Database(PostgresError::Refused { .. }),
        ) => Failure::usage(error).advising(
            "Check the address and the password, and that the user may create tables in the \
             database.",
        ),
        _ => failed(&error),
    })?;
    Ok(match args.json {
        true => json!({ "store": database.text, "migrated": true }).to_string(),
        false => format!("{}: the table is there", database.text),
    })
}

fn again(kind: Kind, message: impl std::fmt::Display) -> Failure {
    Failure::new(kind, Recovery::Retry { after: None }, message).advising("Try again later.")
}

/// Creates a failure: the entry cannot be read.
fn failed(error: &StoreError) -> Failure {
    match error {
        StoreError::Unreachable(why) if why.is::<NoTable>() => Failure::usage(error),
        StoreError::Unreachable(_) => {
            Failure::new(Kind::Transport, Recovery::Retry { after: None }, error)
                .advising("Check the address, the password, and that the server runs.")
        }
        StoreError::TimedOut => again(Kind::TimedOut, error),
        StoreError::UnknownKey => Failure::usage(error)
            .advising("Give its key as a further line of the file of --store-key-file."),
        StoreError::Newer { .. } => {
            Failure::usage(error).advising("Use a newer version of this program.")
        }
        _ => Failure::usage(error),
    }
}
