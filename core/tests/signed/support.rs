//! A signed service with three operations, its merchant, and a clock.

use std::time::Duration;

use http::{HeaderMap, HeaderName, Request, StatusCode};
use imts_core::call::{Keys, Signatory};
use imts_core::endpoint::ServicePath;
use imts_core::error::Malformed;
use imts_core::operation::{AskedBy, Auth, Json, Repeat};
use imts_core::secret::Body;
use imts_core::service::{Envelope, Format, RefusalFields, Success};
use imts_core::sign::jws::{Algorithm, JwsForm, JwsKey};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, Salt, Script, XmlRoot,
};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Call, CallStep, Catalogue, Class, Credentials, Endpoint, Evidence, Now, Outcome, Policy, Reply,
    Service,
};

/// `{"status": "ok"}` is a success, and any other status a refusal. The whole object is the content.
pub(crate) static FLAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["error_code", "pg_error_code"],
        messages: &["error_description", "pg_error_description"],
        texts: &[],
        content: None,
        objects: &[],
        errors: &[],
    },
};

fn status(body: &[u8]) -> Option<String> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let status = fields.get("status").or_else(|| fields.get("pg_status"))?;
    Some(status.as_str()?.to_owned())
}

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let payload = std::str::from_utf8(success.body()).map_err(|_| Malformed::Encoding)?;
    let is_refusal = refuses(success.body());
    if !is_refusal && !payload.trim_start().starts_with('{') {
        return Err(Malformed::Missing { field: "status" });
    }
    Ok(Envelope { is_refusal, payload: Some(payload), field: "status" })
}

fn refuses(body: &[u8]) -> bool {
    status(body).is_some_and(|status| status != "ok")
}

pub(crate) const URL: &str = "https://service.example";
pub(crate) const RANDOM: [u8; 16] = [7; 16];

/// The operations: `pay` moves money, `create` creates, `read` reads.
pub(crate) fn catalogue(auth: Auth, repeat: &Repeat) -> Catalogue {
    let mut operations = Catalogue::new();
    for (name, class) in [
        ("pay", Class::Money),
        ("create", Class::Create),
        ("read", Class::Read),
        ("request-status", Class::Read),
    ] {
        let path = ServicePath::new(format!("/v5/{name}")).unwrap();
        operations.add(name, class, path, Evidence::Assumed).unwrap();
        operations.set_auth(name, auth).unwrap();
        operations.set_reference_field(name, "request_id").unwrap();
        if name != "request-status" {
            operations.set_repeat(name, repeat.clone()).unwrap();
        }
    }
    for name in ["pay", "create", "read"] {
        let asked_by = AskedBy::new("request-status", "request_id");
        operations.set_asked_by(name, asked_by).unwrap();
    }
    operations
}

pub(crate) fn service(operations: Catalogue) -> Service {
    Service::new(&FLAT, operations).with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

pub(crate) fn pg_signer() -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new("accepting").unwrap())
        .with_payouts(PayoutKey::new("payout").unwrap())
}

pub(crate) fn keys() -> Keys {
    Keys::new()
        .with_jws("partner-7", JwsKey::new("a key").unwrap())
        .with_pg_sig("500", pg_signer())
        .with_basic(Credentials::new("id", "s3cret").unwrap())
}

pub(crate) fn signatory(service: Service) -> Signatory {
    let policy = Policy::default().with_call_attempts(3);
    Signatory::new(Endpoint::https(URL).unwrap(), service, policy, keys())
}

pub(crate) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

pub(crate) fn at(seconds: u64) -> Now {
    let micros = i64::try_from(seconds).unwrap() * 1_000_000;
    Now {
        mono: Mono::from_micros(seconds * 1_000_000),
        wall: Wall::from_unix_micros(1_753_269_451_577_745 + micros),
    }
}

pub(crate) fn deadline() -> Mono {
    at(0).mono.after(Duration::from_secs(600))
}

/// The call's next request, which must be due now.
pub(crate) fn request(call: &mut Call<Json>) -> Request<Body> {
    match call.poll(at(0)) {
        CallStep::Send(exchange) => exchange.into_request(),
        other => panic!("{other:?}"),
    }
}

/// How a call ends whose one request got this reply.
pub(crate) fn outcome_of(
    signatory: &Signatory,
    name: &str,
    status: u16,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Outcome<Json> {
    let mut call =
        signatory.call_named(name, &json(r#"{"request_id":"r-1"}"#), RANDOM, deadline()).unwrap();
    request(&mut call);
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    call.on_reply(Reply::new(StatusCode::from_u16(status).unwrap(), &map, body), at(0));
    match call.poll(at(0)) {
        CallStep::Over(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

/// A message of the service, signed with this script, as XML.
pub(crate) fn signed_xml(script: &Script, fields: &[(&str, &str)]) -> Vec<u8> {
    let message = fields.iter().fold(PgFields::new(), |all, (name, it)| all.with(*name, *it));
    let salt = Salt::new("0123456789abcdef").unwrap();
    let signed = pg_signer().sign(Account::Accepting, script, message, &salt).unwrap();
    signed.to_xml(XmlRoot::Response).unwrap().as_ref().to_vec()
}
