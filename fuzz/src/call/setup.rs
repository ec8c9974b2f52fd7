//! The session and the operation of a call.

use std::time::Duration;

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use imts_core::operations::{
    Confirm, CreatePerson, CreateTransfer, Fees, Named, Originator, Own, Status,
};
use imts_core::{
    Call, Catalogue, Class, Contract, Credentials, Decided, Endpoint, Evidence, Json, Keep, Mono,
    Now, Operation, OperationError, Policy, ServicePath, Session, Wall,
};

use super::rules::LIMIT;

pub(super) const START: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
/// How long a call may take; a token lives a quarter of it.
pub(super) const TIME: Duration = Duration::from_secs(400);
pub(super) const ATTEMPTS: u32 = 3;

const UUID: &str = "5f0c3c1e-7b0f-4a51-9d0b-3a4b7b1f9a10";

pub(super) fn session(attempts: u32, trusts_401: bool, decides: bool) -> Session {
    let mut policy = Policy::default();
    (policy.call_attempts, policy.reply_limit, policy.settle) = (attempts, LIMIT, Duration::ZERO);
    policy.unauthorized_is_unprocessed = trusts_401;
    let mut catalogue = Catalogue::imts();
    let names = [Status::NAME, CreatePerson::NAME, Confirm::NAME, CreateTransfer::NAME];
    for name in names {
        let path = ServicePath::new(format!("/{name}")).expect("a path");
        catalogue.set_path(name, path, Evidence::Assumed).expect("in the section");
    }
    let path = ServicePath::new("/report").expect("a path");
    catalogue.add("report", Class::Money, path, Evidence::Draft).expect("a name");
    if decides {
        for name in names.into_iter().chain([Fees::NAME, "report"]) {
            let codes = ["LIMIT".to_owned()].into();
            let decided = Decided { statuses: [429].into(), codes };
            catalogue.set_decided(name, decided).expect("in the catalogue");
        }
    }
    let contract = Contract::imts().with_operations(catalogue);
    let endpoint = Endpoint::https("https://fuzz.example").expect("a good URL");
    let mut session = Session::new(endpoint, contract, policy).expect("a good contract");
    let credentials = Credentials::new("agent", "secret").expect("good credentials");
    session.sign_in(credentials, Keep::Held, START);
    session
}

/// The call that the options name, and its class.
pub(super) fn call(session: &Session, options: &[u8], deadline: Mono) -> (Class, Call<Json>) {
    let letters = options.iter().rev();
    let letter = letters.copied().find(|it| b"RFCMTN".contains(it)).unwrap_or(b'M');
    let (class, call) = match letter {
        b'R' => own::<Status>(session, deadline),
        b'C' => own::<CreatePerson>(session, deadline),
        b'F' => (Fees::CLASS, session.call(&fees(), deadline)),
        b'T' => (CreateTransfer::CLASS, session.call(&transfer(), deadline)),
        b'N' => {
            let request = Json::parse(r#"{"day":"17"}"#).expect("JSON");
            (Class::Money, session.call_named("report", &request, deadline))
        }
        _ => own::<Confirm>(session, deadline),
    };
    (class, call.expect("an operation with a path").with_reference("ref-17"))
}

type Made = (Class, Result<Call<Json>, OperationError>);

fn own<N: Named>(session: &Session, deadline: Mono) -> Made {
    (N::CLASS, session.call(&Own::<N, _>::new([("id", "17")]), deadline))
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
