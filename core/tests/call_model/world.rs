//! A client without I/O: it does what `Call` and `Session` say, as a schedule lets it.

use std::time::Duration;

use http::header::AUTHORIZATION;
use imts_core::call::Ending;
use imts_core::catalogue::Decided;
use imts_core::endpoint::ServicePath;
use imts_core::journal::Entry;
use imts_core::operation::Json;
use imts_core::operation::{Custom, OperationName};
use imts_core::services::transfer::{Confirm, CreatePerson, Status};
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::Source;
use imts_core::{
    Bearer, Call, CallStep, Class, Credentials, Endpoint, Epoch, Evidence, Keep, Now, Outcome,
    Permit, Policy, Reply, Session, Step, services,
};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};
use serde_json::json;

use crate::journal::Paper;
use crate::schedule::{Break, Dice, Fault, ROUNDS, Schedule};
use crate::service::{Heard, PATH, Service};

const TIME: Duration = Duration::from_secs(100_000);

pub(crate) struct World {
    pub(crate) trusts_401: bool,
    class: Class,
    session: Session,
    service: Service,
    now: Now,
}

/// What the caller is told of one round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    Ended(Ending),
    Cancelled,
    Crashed { late: bool },
}

/// What came of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) told: Vec<Told>,
    pub(crate) met: Vec<Fault>,
    pub(crate) bodies: Vec<String>,
    pub(crate) applied: u64,
    /// What the journal says of each call, after a restart.
    pub(crate) states: Vec<&'static str>,
    pub(crate) journal_broke: bool,
    pub(crate) sent_a_dead_bearer: bool,
    /// The last token that the service took back.
    taken_back: Option<Epoch>,
    steps: usize,
}

impl World {
    pub(crate) fn new(class: Class, trusts_401: bool) -> Self {
        let mut policy = Policy::default();
        (policy.jitter_percent, policy.settle) = (0, Duration::ZERO);
        policy.unauthorized_is_unprocessed = trusts_401;
        let mut catalogue = services::transfer::catalogue();
        let decided = Decided { codes: ["LIMIT".to_owned()].into(), ..Decided::default() };
        let name = match class {
            Class::Read => Status::NAME,
            Class::Create => CreatePerson::NAME,
            Class::Money => Confirm::NAME,
        };
        let path = ServicePath::new(PATH).unwrap();
        catalogue.set_path(name, path, Evidence::Assumed).unwrap();
        catalogue.set_decided(name, decided).unwrap();
        let service = imts_core::services::transfer().with_operations(catalogue);
        let endpoint = Endpoint::https("https://sandbox.example").unwrap();
        let mut session = Session::new(endpoint, service, policy).unwrap();
        let service = Service::new(class);
        let now = Now {
            mono: Mono::from_micros(1_000_000),
            wall: Wall::from_unix_micros(service.now - 3_600_000_000),
        };
        let credentials = Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap();
        session.sign_in(credentials, Keep::Always, now);
        Self { trusts_401, class, session, service, now }
    }

    /// How often the service saw a token that had expired.
    fn expired_bearers(&self) -> u64 {
        self.service.sandbox.counters().expired_bearers
    }

    pub(crate) fn applied(&self, schedule: &Schedule) -> u64 {
        self.service.applied(&schedule.id())
    }

    pub(crate) fn play(&mut self, schedule: &Schedule) -> Run {
        let (mut run, mut paper, mut dice) =
            (Run::default(), Paper::default(), Dice(!schedule.seed));
        let mut call = Some(self.call(schedule));
        for round in 0..ROUNDS {
            let Some(next) = call.take() else { break };
            let (told, permit) = self.drive(next, schedule, round, &mut paper, &mut dice, &mut run);
            run.told.push(told);
            call = permit.map(|permit| permit.retry(self.now.mono.after(TIME)));
        }
        drop(call);
        self.service.settle();
        // Nor does the next schedule begin with a token that this one had taken back, not even with
        // one that is dead by a wall clock that may be set back.
        if let Some(epoch) = run.taken_back {
            self.session.reject(epoch, self.now);
        }
        run.applied = self.applied(schedule);
        run.states = paper.states();
        run
    }

    /// What a caller may do after a crash without asking anyone: send what the journal says was not
    /// sent. Returns whether there was such a call.
    pub(crate) fn send_after_restart(&mut self, schedule: &Schedule, run: &Run) -> bool {
        let crashed = !matches!(run.told.last(), Some(Told::Ended(_)));
        let unsent = |state: &&str| matches!(*state, "intended" | "not_sent" | "nothing");
        if !crashed || !run.states.iter().all(unsent) {
            return false;
        }
        let sound = Schedule {
            faults: [[Fault::Sound; 3]; ROUNDS],
            breaks: None,
            cut: None,
            ..schedule.clone()
        };
        let again = self.play(&sound);
        assert!(matches!(again.told[..], [Told::Ended(Ending::Done)]), "{again:#?}");
        true
    }

    fn call(&self, schedule: &Schedule) -> Call<Json> {
        fn of<N: OperationName>(id: &str) -> Custom<N, serde_json::Value> {
            Custom::new(json!({ "client_uuid": id, "amount": "15.4" })).with_reference(id)
        }
        let (id, until) = (schedule.id(), self.now.mono.after(TIME));
        let call = match self.class {
            Class::Read => self.session.call(&of::<Status>(&id), until),
            Class::Create => self.session.call(&of::<CreatePerson>(&id), until),
            Class::Money => self.session.call(&of::<Confirm>(&id), until),
        };
        call.unwrap().with_journal()
    }

    fn drive(
        &mut self,
        mut call: Call<Json>,
        schedule: &Schedule,
        round: usize,
        paper: &mut Paper,
        dice: &mut Dice,
        run: &mut Run,
    ) -> (Told, Option<Permit<Json>>) {
        let breaks = schedule.breaks.filter(|_| round == 0);
        let mut sent = 0;
        let mut late: Option<http::Response<Vec<u8>>> = None;
        for _ in 0..1_000 {
            self.drift(schedule, dice);
            let step = call.poll(self.now);
            if let Some(reply) = late.take() {
                call.on_reply(Reply::from(&reply), self.now);
            }
            let cut = schedule.cut.filter(|cut| cut.step == run.steps);
            run.steps += 1;
            if let Some(cut) = cut.filter(|_| !matches!(step, CallStep::Over(_))) {
                if cut.late {
                    self.last_effect(step, schedule.faults[round].get(sent), paper, run);
                }
                let told = match cut.by_caller {
                    true => Told::Cancelled,
                    false => Told::Crashed { late: cut.late },
                };
                return (told, None);
            }
            match step {
                CallStep::Token => call.on_bearer(self.bearer()),
                CallStep::Record(entry) => {
                    if schedule.drifts && dice.one_in(16) {
                        self.pass(901);
                    }
                    let outcome = self.record(entry, sent, breaks, schedule.tears, paper, run);
                    call.on_recorded(outcome.map_err(imts_core::journal::RecordError::from));
                }
                CallStep::Send(exchange) => {
                    let fault = schedule.faults[round][sent];
                    sent += 1;
                    self.look_at(exchange.request(), fault, run);
                    let expired = self.expired_bearers();
                    let heard = self.service.exchange(exchange.into_request(), fault);
                    assert_eq!(self.expired_bearers(), expired, "an expired token: {schedule:#?}");
                    match heard {
                        Heard::Reply(reply) => call.on_reply(Reply::from(&reply), self.now),
                        Heard::Late(reply) => {
                            self.pass(31);
                            late = Some(reply);
                        }
                        Heard::TransportError(failure) => call.on_failure(failure, self.now),
                        Heard::Nothing => {}
                    }
                }
                CallStep::NotAdmitted(error) => panic!("nothing stands against it: {error}"),
                CallStep::Reject(epoch) => self.session.reject(epoch, self.now),
                CallStep::Wait { until } => self.wait(until),
                CallStep::Over(outcome) => {
                    let told = Told::Ended(outcome.ending());
                    let permit = match outcome {
                        Outcome::Failed(failed) => failed.into_permit(),
                        _ => None,
                    };
                    return (told, permit);
                }
            }
        }
        panic!("the call never ends: {schedule:#?}");
    }

    /// What the step at which everything ends still brings about.
    fn last_effect(
        &mut self,
        step: CallStep<Json>,
        fault: Option<&Fault>,
        paper: &mut Paper,
        run: &mut Run,
    ) {
        match (step, fault) {
            (CallStep::Record(entry), _) => drop(paper.keep(entry)),
            (CallStep::Send(exchange), Some(fault)) => {
                self.look_at(exchange.request(), *fault, run);
                drop(self.service.exchange(exchange.into_request(), *fault));
            }
            _ => {}
        }
    }

    fn record(
        &mut self,
        entry: Entry,
        sent: usize,
        breaks: Option<Break>,
        tears: bool,
        paper: &mut Paper,
        run: &mut Run,
    ) -> Result<u64, Source> {
        if !Paper::breaks(&entry, sent, breaks) {
            return Ok(paper.keep(entry));
        }
        run.journal_broke = true;
        if tears {
            paper.keep(entry);
        }
        Err(Source::from(Box::<dyn std::error::Error + Send + Sync>::from("full")))
    }

    fn look_at(
        &self,
        request: &http::Request<imts_core::secret::Body>,
        fault: Fault,
        run: &mut Run,
    ) {
        run.met.push(fault);
        run.bodies.push(String::from_utf8_lossy(request.body().as_ref()).into_owned());
        let usable = self.session.phase(self.now).usable();
        let header = &request.headers()[AUTHORIZATION];
        run.sent_a_dead_bearer |= usable.as_ref().is_none_or(|it| it.bearer().header() != header);
        if fault == Fault::Revoked {
            run.taken_back = usable.map(|it| it.bearer().epoch());
        }
    }

    /// The session's token, renewed where that is needed.
    fn bearer(&mut self) -> Bearer {
        for _ in 0..100 {
            match self.session.poll(self.now) {
                Step::Ready(bearer) => return bearer,
                Step::Send(ticket, exchange) => {
                    let reply = self.service.answer(exchange.into_request());
                    drop(self.session.on_reply(ticket, Reply::from(&reply), self.now));
                }
                Step::Wait { until, .. } | Step::Busy { until } => self.wait(until),
                other => panic!("{other:?}"),
            }
        }
        panic!("no token comes");
    }

    fn wait(&mut self, until: Mono) {
        let wait = until.since(self.now.mono);
        self.now = self.now.advanced_by(wait);
        self.service.now += i64::try_from(wait.as_micros()).unwrap();
    }

    fn pass(&mut self, seconds: u64) {
        self.wait(self.now.mono.after(Duration::from_secs(seconds)));
    }

    /// Lets time pass, and sets the client's wall clock, forward or back.
    fn drift(&mut self, schedule: &Schedule, dice: &mut Dice) {
        if !schedule.drifts {
            return;
        }
        self.pass(u64::try_from(dice.below(3)).unwrap());
        let hour = 3_600_000_000;
        let by = match dice.below(128) {
            0 => hour,
            1 => -hour,
            _ => 0,
        };
        self.now.wall = Wall::from_unix_micros(self.now.wall.unix_micros() + by);
    }
}
