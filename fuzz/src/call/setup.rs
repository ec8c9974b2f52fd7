//! The session and the operation of a call.

use std::time::Duration;

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use imts_core::call::NotCallable;
use imts_core::catalogue::Decided;
use imts_core::endpoint::ServicePath;
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::{Auth, Json, Success};
use imts_core::operation::{Custom, OperationName};
use imts_core::secret::Body;
use imts_core::services::transfer::{
    Cancel, Confirm, CreateBusiness, CreatePerson, CreateTransfer, Fees, GetAgents,
    GetBusinessInfo, GetPersonInfo, Info, Originator, Payout, PayoutConfirm, PrintApplication,
    Search, Status,
};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Call, Class, Credentials, Endpoint, Evidence, Keep, Now, Operation, Policy, Session, services,
};

use super::rules::LIMIT;

pub(super) const START: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
/// How long a call may take; a token lives a quarter of it.
pub(super) const TIME: Duration = Duration::from_secs(400);
pub(super) const ATTEMPTS: u32 = 3;

/// What the two token exchanges carry: no text of a refusal may repeat it.
pub(super) const SECRETS: [&str; 2] = ["fuzz-secret-0", "fuzz-refresh-0"];

const UUID: &str = "5f0c3c1e-7b0f-4a51-9d0b-3a4b7b1f9a10";

pub(super) fn session(attempts: u32, trusts_401: bool, decides: bool) -> Session {
    let mut policy = Policy::default();
    (policy.call_attempts, policy.reply_limit, policy.settle) = (attempts, LIMIT, Duration::ZERO);
    policy.unauthorized_is_unprocessed = trusts_401;
    let mut catalogue = services::transfer::catalogue();
    let names: Vec<String> = catalogue.iter().map(|entry| entry.name().to_owned()).collect();
    let pathless = catalogue.clone();
    for entry in pathless.iter().filter(|entry| entry.path().is_none()) {
        let path = ServicePath::new(format!("/{}", entry.name())).expect("a path");
        catalogue.set_path(entry.name(), path, Evidence::Assumed).expect("built in");
    }
    let path = ServicePath::new("/report").expect("a path");
    catalogue.add("report", Class::Money, path, Evidence::Draft).expect("a name");
    if decides {
        for name in names.iter().map(String::as_str).chain(["report"]) {
            let codes = ["LIMIT".to_owned()].into();
            let decided = Decided { statuses: [429].into(), codes };
            catalogue.set_decided(name, decided).expect("in the catalogue");
        }
    }
    let service = services::transfer().with_operations(catalogue);
    let endpoint = Endpoint::https("https://fuzz.example").expect("a good URL");
    let mut session = Session::new(endpoint, service, policy).expect("a good service");
    session.sign_in(credentials(), Keep::Always, START);
    session
}

/// The call that the options name, its class, and whether it takes a token.
pub(super) fn call(session: &Session, options: &[u8], deadline: Mono) -> (Class, Auth, Call<Json>) {
    let mut letters = options.iter().rev().copied();
    let letter = letters.find(|it| b"RFCMTNGEABPSOQXIYZ".contains(it)).unwrap_or(b'M');
    let report = Json::parse(r#"{"day":"17"}"#).expect("JSON");
    let (class, auth, call) = match letter {
        b'G' => of(session, &SignIn, deadline),
        b'E' => of(session, &Renew, deadline),
        b'A' => own::<GetAgents>(session, deadline),
        b'F' => of(session, &fees(), deadline),
        b'C' => own::<CreatePerson>(session, deadline),
        b'B' => own::<CreateBusiness>(session, deadline),
        b'T' => of(session, &transfer(), deadline),
        b'P' => own::<PrintApplication>(session, deadline),
        b'S' => own::<Search>(session, deadline),
        b'O' => own::<Payout>(session, deadline),
        b'Q' => own::<PayoutConfirm>(session, deadline),
        b'X' => own::<Cancel>(session, deadline),
        b'Y' => own::<GetPersonInfo>(session, deadline),
        b'Z' => own::<GetBusinessInfo>(session, deadline),
        b'R' => own::<Status>(session, deadline),
        b'I' => own::<Info>(session, deadline),
        b'N' => (Class::Money, Auth::Bearer, session.call_named("report", &report, deadline)),
        _ => own::<Confirm>(session, deadline),
    };
    (class, auth, call.expect("an operation with a path").with_reference("ref-17"))
}

type Made = (Class, Auth, Result<Call<Json>, NotCallable>);

fn own<N: OperationName>(session: &Session, deadline: Mono) -> Made {
    of(session, &Custom::<N, _>::new(std::collections::BTreeMap::from([("id", "17")])), deadline)
}

fn of<O: Operation<Reply = Json>>(session: &Session, operation: &O, deadline: Mono) -> Made {
    (O::CLASS, O::AUTH, session.call(operation, deadline))
}

/// A caller's own call that carries secrets and takes no token: its reply is a grant, which is
/// returned as JSON.
struct SignIn;

/// The same, of a class that is not sent again.
struct Renew;

impl Operation for SignIn {
    const NAME: &'static str = "sign-in";
    const PATH: Option<&'static str> = Some("/sign-in");
    const AUTH: Auth = Auth::None;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        let fields = [("agent_id", "agent"), ("agent_secret", SECRETS[0])];
        Body::json(&std::collections::BTreeMap::from(fields))
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        services::transfer::tokens().grant()(success)?;
        success.payload()
    }
}

impl Operation for Renew {
    const NAME: &'static str = "renew";
    const PATH: Option<&'static str> = Some("/renew");
    const AUTH: Auth = Auth::None;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(&std::collections::BTreeMap::from([("refresh_token", SECRETS[1])]))
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        services::transfer::tokens().grant()(success)?;
        success.payload()
    }
}

fn credentials() -> Credentials {
    Credentials::new("agent", SECRETS[0]).expect("good credentials")
}

fn fees() -> Fees {
    Fees {
        originator_type: Originator::Person,
        target_country: "UZB".parse().expect("a country"),
        amount_source: "15.4".parse().expect("an amount"),
        currency_source: "KZT".parse().expect("a currency"),
        currency_target: "UZS".parse().expect("a currency"),
        pg_sig: None,
    }
}

fn transfer() -> CreateTransfer {
    let (uuid, phone) = (UUID.parse().expect("a uuid"), "+998901234567".parse().expect("a phone"));
    CreateTransfer::on_demand(uuid, phone, "UZB".parse().expect("a country"))
}

/// The reply to the sign-in of this number.
pub(super) fn grant(number: u32) -> Response<Vec<u8>> {
    let body = format!(
        r#"{{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{{"access_token":"fuzz-bearer-{number}","access_expire_at":"2025-07-23T11:19:11Z"}}}}"#
    );
    let mut response = Response::new(body.into_bytes());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
