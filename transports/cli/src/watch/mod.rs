//! `imts watch`: keeps a session alive and shows it, until interrupted.
//!
//! Owns the requests for a token, a few times a second, and what has changed since the last one.
//! Does not know how a session is shown: [`view`] does. Does not know when to renew or back off:
//! the session does.

mod view;

use std::sync::Arc;
use std::time::{Duration, Instant};

use imts::session::{RenewalError, Usable};
use imts::{Epoch, Phase, Policy, TokenError};

use self::view::{Event, Sight, View};
use crate::args::Watch;
use crate::client::Client;
use crate::failure::Failure;
use crate::interrupt::{self, Stop};
use crate::log::Log;
use crate::out::{self, Reader};
use crate::service_file;
use crate::settings::{self, Connection};
use crate::store::Shared;

/// How long to wait before the next request for a token, and how long a request may take.
const TICK: Duration = Duration::from_millis(100);

/// How long the end waits until the session is in the store.
const LAST: Duration = Duration::from_secs(2);

pub(crate) fn run(args: Watch, log: Log) -> Result<(), Failure> {
    interrupt::ending("the watch began", move |stop| watch(&args, log, stop))
}

fn watch(args: &Watch, log: Log, stop: &Stop) -> Result<(), Failure> {
    let service = service_file::of(args.service.service_file.as_deref(), args.timeout)?;
    let Connection { endpoint, builder, carrier, store, .. } =
        settings::connection(&args.service, service, args.timeout)?;
    let mut policy = Policy::default();
    policy.time_limit = args.timeout;
    let client = carrier.client(builder.policy(policy.clone()).patience(TICK), log)?;
    stop.take_over()?;
    let mut view = View::new(args.json, log);
    let transport = args.service.transport.as_str();
    view.tell(&Event::Started { base_url: endpoint.as_str(), transport })?;
    let mut watch = Watching { client, policy, seen: Seen::default() };
    loop {
        if watch.look(&mut view)? == Reader::Gone {
            return Ok(());
        }
        watch.look_at_store();
        if stop.wait(TICK).is_err() {
            if store.is_some() {
                Shared::hand_over(&watch.client, LAST);
            }
            view.tell(&Event::Ended { grants: watch.seen.grants })?;
            return Ok(());
        }
    }
}

struct Watching {
    client: Client,
    policy: Policy,
    seen: Seen,
}

/// What was shown already.
#[derive(Default)]
struct Seen {
    phase: &'static str,
    epoch: Option<Epoch>,
    grants: u64,
    granted: Option<Instant>,
    error: Option<Arc<RenewalError>>,
    /// Whether the store's last answer did not come.
    is_store_out: bool,
}

/// What the session will do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A renewal is due in this time.
    DueIn(Duration),
    /// A renewal is under way.
    UnderWay,
    /// A renewal failed. The next one is tried in this time.
    AgainIn(Duration),
}

impl Watching {
    /// Requests a token, and shows what is new.
    fn look(&mut self, view: &mut View) -> Result<Reader, Failure> {
        let mut asked = self.ask();
        if let Err(TokenError::Renewal(_)) = asked {
            // The renewal has failed. A second request returns how long the back-off lasts.
            asked = self.ask();
        }
        let sight = self.sight(&asked);
        let mut reader = Reader::Listening;
        if let Some(event) = self.grant(&sight) {
            reader = view.tell(&event)?;
        }
        let error = match &asked {
            Err(TokenError::Renewal(last) | TokenError::Waiting { last, .. }) => Some(last),
            _ => None,
        };
        if let Some(error) = error.filter(|it| self.is_news(it)) {
            self.seen.error = Some(Arc::clone(error));
            reader = view.tell(&Event::RenewalError { error, sight: &sight })?;
        }
        if self.seen.phase != sight.phase {
            self.seen.phase = sight.phase;
            reader = view.tell(&Event::Phase(&sight))?;
        }
        match &asked {
            Err(
                error @ (TokenError::SignIn { .. } | TokenError::Reentrant | TokenError::Closed),
            ) => {
                view.clear();
                Err(Failure::from(error))
            }
            _ => {
                view.draw(&sight);
                Ok(reader)
            }
        }
    }

    /// Prints why the store does not answer, once in an outage.
    fn look_at_store(&mut self) {
        let failure = self.client.store_failure();
        let was_out = std::mem::replace(&mut self.seen.is_store_out, failure.is_some());
        if let Some(error) = failure.filter(|_| !was_out) {
            out::note(format_args!("{error}. The session goes on without it."));
        }
    }

    fn ask(&self) -> Result<(), TokenError> {
        let expiring = self.client.phase(|phase| match phase {
            Phase::Expiring(usable) => Some(usable.remaining()),
            _ => None,
        });
        match expiring {
            // This asks for more time than is left. A request for less gets the token at once, and
            // learns nothing of the renewal.
            Some(left) => self.client.token_valid_for(left + TICK),
            None => self.client.token(),
        }
        .map(drop)
    }

    /// Returns the current state, for display.
    fn sight(&self, asked: &Result<(), TokenError>) -> Sight {
        self.client.phase(|phase| {
            let usable = phase.usable();
            let next = match (asked, usable) {
                (Err(TokenError::Waiting { wait, .. }), _) => Next::AgainIn(*wait),
                (Err(TokenError::Renewal(_)), _) => Next::AgainIn(Duration::ZERO),
                (_, Some(usable)) => {
                    match usable.remaining().checked_sub(self.policy.margin_of(usable.lifetime())) {
                        Some(left) => Next::DueIn(left),
                        None => Next::UnderWay,
                    }
                }
                (_, None) => Next::UnderWay,
            };
            Sight {
                phase: phase.as_str(),
                epoch: usable.map(|usable| usable.bearer().epoch()),
                remaining: usable.map(Usable::remaining),
                lifetime: usable.map(Usable::lifetime),
                grants: self.seen.grants,
                granted: self.seen.granted,
                next,
            }
        })
    }

    /// Returns the event for a new grant, if there is one.
    fn grant<'a>(&mut self, sight: &'a Sight) -> Option<Event<'a>> {
        let epoch = sight.epoch.filter(|epoch| self.seen.epoch != Some(*epoch))?;
        self.seen.grants += 1;
        (self.seen.epoch, self.seen.granted) = (Some(epoch), Some(Instant::now()));
        (self.seen.error, self.seen.phase) = (None, sight.phase);
        Some(Event::Granted { number: self.seen.grants, sight })
    }

    fn is_news(&self, error: &Arc<RenewalError>) -> bool {
        !self.seen.error.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, error))
    }
}
