//! The service itself: a function from time and request to response.
//!
//! Owns what the service remembers, and the order in which a request meets faults, outages and
//! operations. Does not know sockets and does not read a clock.

mod callbacks;

use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::callbacks::Callbacks;
use crate::calls::Call;
use crate::delivery::{Delivery, Position};
use crate::fault::{Dice, Fault, Rule};
use crate::finding::Findings;
use crate::freedom_id::{self, Action, FreedomId, FreedomIdCounters};
use crate::ledger::Ledger;
use crate::log::{Entry, Log, Verdict};
use crate::operation::Operation;
use crate::outbox::Outbox;
use crate::reply::{self, Answer};
use crate::request::{Refusal, json_body, no_such_path};
use crate::served::Evidence;
use crate::service_file::ServiceFileError;
use crate::settings::Settings;
use crate::signed::{self, FormReply, Signed, SignedOperation};
use crate::time::Time;
use crate::token::Kind;
use crate::tokens::{Context, Counters, Tokens};

/// The path of the sandbox's own protected operation, which returns what it was sent.
pub const ECHO_PATH: &str = "/_sandbox/echo";

/// A local IMTS. See the [crate's documentation](crate).
#[derive(Clone, Debug, Default)]
pub struct Sandbox {
    settings: Settings,
    tokens: Tokens,
    ledger: Ledger,
    log: Log,
    dice: Dice,
    signed: Signed,
    freedom_id: FreedomId,
    findings: Findings,
    callbacks: Callbacks,
    outbox: Outbox,
}

impl Sandbox {
    /// Creates a service that behaves as the settings say.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Creates a service with the operations of a service file, besides its default operations.
    /// See [`Settings::add_service_file`].
    ///
    /// # Errors
    ///
    /// Returns an error if the sandbox cannot serve the file. The error says where and why.
    pub fn with_service_file(file: &str) -> Result<Self, ServiceFileError> {
        let mut settings = Settings::default();
        settings.add_service_file(file)?;
        Ok(Self::new(settings))
    }

    /// Answers as the service. Another module answers requests to the control interface.
    pub(crate) fn serve(&mut self, now: Time, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        let server_now = now.shifted(self.settings.skew_micros);
        let operation = self.operation(request.method(), path);
        let fault = self.dice.pick(&self.settings.faults, operation, self.settings.fault_seed);
        let answer = self.answer(now, server_now, operation, fault.as_ref(), request);
        let (verdict, mut response) = answer.unwrap_or_else(|refusal| {
            let Refusal { status, verdict, message } = refusal;
            (verdict, reply::refusal(status, server_now, self.settings.error_shape, &message))
        });
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response = reply::allowing(response, &operation.method());
        }
        if let Some(fault) = fault.filter(|_| verdict != Verdict::Faulted) {
            fault.after(&mut response);
        }
        response.extensions_mut().remove::<FormReply>();
        reply::delay(&mut response, self.settings.latency);
        self.log.push(self.settings.memory_limit, now, operation, response.status(), verdict);
        response
    }

    /// Returns the fault that a request meets before its body is read, if there is one. Such a
    /// request is logged and never handled.
    pub(crate) fn before_read(
        &mut self,
        now: Time,
        method: &Method,
        path: &str,
    ) -> Option<Delivery> {
        let Settings { faults, fault_seed, memory_limit, .. } = &self.settings;
        if is_control(path) || !faults.iter().any(|rule| stands_before_read(&rule.fault)) {
            return None;
        }
        let operation = self.operation(method, path);
        // A request that meets no fault here is counted when it is handled.
        let mut dice = self.dice.clone();
        match dice.pick(faults, operation, *fault_seed) {
            Some(Fault::Delivery(delivery)) if stands_before_read(&Fault::Delivery(delivery)) => {
                self.dice = dice;
                self.log.push(*memory_limit, now, operation, StatusCode::OK, Verdict::Faulted);
                Some(delivery)
            }
            _ => None,
        }
    }

    /// Returns the current settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the settings for changes.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Sets the faults. They count from 1 again, even if they are the same as before.
    pub fn set_faults(&mut self, rules: Vec<Rule>) {
        self.settings.faults = rules;
        self.dice = Dice::default();
    }

    /// Returns the latest requests to the service, oldest first. Keeps at least as many as the
    /// settings' `memory_limit`.
    #[must_use]
    pub fn log(&self) -> &[Entry] {
        self.log.entries()
    }

    /// Returns how many requests ever asked for this operation.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.log.count(operation)
    }

    /// Returns how many requests the service ever received.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.log.total()
    }

    /// Returns the ledger: what was applied, and how often.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the counters, including how often a client did something that it must not do.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.tokens.counters()
    }

    /// Returns Freedom ID's counters.
    #[must_use]
    pub fn freedom_id_counters(&self) -> FreedomIdCounters {
        self.freedom_id.counters()
    }

    /// Returns the time by the service's clock.
    pub(crate) fn server_time(&self, now: Time) -> Time {
        now.shifted(self.settings.skew_micros)
    }

    /// Revokes one token, access or refresh.
    pub fn revoke(&mut self, token: &str) {
        self.tokens.revoke(token);
    }

    /// Revokes every access token.
    pub fn revoke_access_tokens(&mut self) {
        self.tokens.revoke_kind(Kind::Access);
    }

    /// Revokes every refresh token.
    pub fn revoke_refresh_tokens(&mut self) {
        self.tokens.revoke_kind(Kind::Refresh);
    }

    /// Forgets tokens, ledger, log and counters. Keeps the settings.
    pub fn reset(&mut self) {
        let settings = std::mem::take(&mut self.settings);
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.reset();
        let mut freedom_id = std::mem::take(&mut self.freedom_id);
        freedom_id.reset();
        let mut callbacks = std::mem::take(&mut self.callbacks);
        callbacks.reset();
        *self = Self { settings, tokens, freedom_id, callbacks, ..Self::default() };
    }

    /// Returns the operation at a path.
    fn operation(&self, method: &Method, path: &str) -> Operation {
        if path == ECHO_PATH {
            return Operation::Echo;
        }
        if let Some(operation) = self.named(path) {
            return operation;
        }
        if let Some(action) = Action::at(method, path, &self.settings.freedom_id) {
            return action.operation();
        }
        SignedOperation::at(path).map_or(Operation::Other, Operation::Signed)
    }

    /// The operation whose path the integrator named, or the pages of Transfer. It comes before the
    /// other services.
    fn named(&self, path: &str) -> Option<Operation> {
        let mut served = self.settings.operations.iter();
        served.find(|(_, served)| served.path == path).map(|(operation, _)| *operation)
    }

    fn answer(
        &mut self,
        at: Time,
        now: Time,
        operation: Operation,
        fault: Option<&Fault>,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let shape = self.settings.error_shape;
        let refusal = |status| {
            reply::refusal(status, now, shape, "a fault that the sandbox was set to cause")
        };
        if let Some(response) = fault.and_then(|fault| fault.before(refusal)) {
            return Ok((Verdict::Faulted, response));
        }
        let is_named = self.named(request.uri().path()).is_some();
        if !is_named && let Some(answer) = self.payers_page(at, request) {
            return Ok(answer);
        }
        if let Operation::Signed(operation) = operation {
            return self.signed(at, now, operation, request);
        }
        let is_there = match operation {
            Operation::Other if self.is_forbidden(request.uri().path()) => {
                return Ok((Verdict::NoSuchPath, signed::forbidden()));
            }
            Operation::Other => false,
            Operation::Refresh => self.settings.refresh_endpoint,
            _ => true,
        };
        if !is_there {
            return Err(no_such_path());
        }
        if let Some(response) = self.outage(now) {
            return Ok((Verdict::Outage, response));
        }
        let (method, path) = (request.method(), request.uri().path());
        if !is_named && let Some(action) = Action::at(method, path, &self.settings.freedom_id) {
            let (service, mut context) = self.freedom_id(at, now);
            return Ok(service.answer(&mut context, action, request));
        }
        let (headers, body) = (request.headers(), json_body(request)?);
        let context = Context { now, settings: &self.settings };
        match operation {
            Operation::GetToken => return self.tokens.get_token(context, headers, &body),
            Operation::Refresh => return self.tokens.refresh(context, headers, &body),
            _ => self.tokens.admit(context, headers)?,
        }
        let Some(served) = self.settings.operations.get_mut(&operation) else {
            let payload = json!({ "echo": body });
            return Ok((Verdict::Echoed, reply::success(now, Evidence::Assumed, payload)));
        };
        let call = Call {
            operation,
            at,
            now,
            body: &body,
            id_field: &self.settings.id_field,
            ledger_limit: self.settings.memory_limit,
            error_shape: shape,
        };
        call.answer(served, &mut self.ledger)
    }

    fn signed(
        &mut self,
        at: Time,
        now: Time,
        operation: SignedOperation,
        request: &Request<Vec<u8>>,
    ) -> Answer {
        let mut replies = std::mem::take(&mut self.settings.signed.replies);
        let context = signed::Context {
            at,
            now,
            settings: &self.settings,
            ledger: &mut self.ledger,
            replies: &mut replies,
            callbacks: &mut self.callbacks,
            shop: crate::callbacks::Context {
                at,
                now,
                limit: self.settings.memory_limit,
                merchants: &self.settings.merchants,
                rules: &self.settings.callback_faults,
                findings: &mut self.findings,
                outbox: &mut self.outbox,
            },
        };
        let answer = self.signed.answer(context, operation, request);
        self.settings.signed.replies = replies;
        answer
    }

    fn is_forbidden(&self, path: &str) -> bool {
        self.settings.signed.forbids_unknown_paths && signed::is_near(path)
    }

    /// Returns Freedom ID, and what it needs to answer at this time.
    pub(crate) fn freedom_id(
        &mut self,
        at: Time,
        now: Time,
    ) -> (&mut FreedomId, freedom_id::Context<'_>) {
        let context = freedom_id::Context {
            at,
            now,
            limit: self.settings.memory_limit,
            settings: &self.settings.freedom_id,
            findings: &mut self.findings,
            outbox: &mut self.outbox,
        };
        (&mut self.freedom_id, context)
    }

    fn outage(&self, now: Time) -> Option<Response<Vec<u8>>> {
        let outage = self.settings.outage.as_ref()?;
        if outage.until.is_some_and(|until| now >= until) {
            return None;
        }
        let shape = self.settings.error_shape;
        Some(reply::outage(outage.status, outage.retry_after, now, shape))
    }
}

/// Returns whether a path belongs to the control interface.
pub(crate) fn is_control(path: &str) -> bool {
    path != ECHO_PATH && (path == "/_sandbox" || path.starts_with("/_sandbox/"))
}

fn stands_before_read(fault: &Fault) -> bool {
    matches!(fault, Fault::Delivery(Delivery::Broken { at: Position::BeforeRead, .. }))
}
