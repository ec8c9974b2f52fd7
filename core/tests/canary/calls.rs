//! Calls of every operation, at each step and at each end, to a service that quotes what it was sent.

use std::fmt::Debug;
use std::time::Duration;

use http::{Request, Response};
use imts_core::endpoint::ServicePath;
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::{Auth, Json, Success};
use imts_core::operation::{Custom, OperationName};
use imts_core::secret::Body;
use imts_core::services::transfer::{
    Cancel, CardNumber, Confirm, CreateBusiness, CreatePerson, CreateTransfer, Destination, Fees,
    GetAgents, GetBusinessInfo, GetPersonInfo, Info, Originator, Payout, PayoutConfirm,
    PrintApplication, Search, Signature, Status,
};
use imts_core::transport_error::Source;
use imts_core::{
    Call, CallStep, Class, Evidence, Keep, Operation, Outcome, Recovery, TransportError, services,
};
use imts_sandbox::Time;
use serde_json::json;

use crate::assert_silent;
use crate::drive::{AGENT, Drive, SECRET};
use crate::quotes::refusal;

const CARD: &str = "4000056655665556";
const UUID: &str = "5f0c3c1e-7b0f-4a51-9d0b-3a4b7b1f9a10";

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A reply of this status that quotes the request's body and its token.
    Quoted(u16),
    Lost,
    NotRecorded,
    NoToken,
}

const ENDS: [End; 9] = [
    End::Quoted(200),
    End::Quoted(302),
    End::Quoted(401),
    End::Quoted(422),
    End::Quoted(429),
    End::Quoted(500),
    End::Lost,
    End::NotRecorded,
    End::NoToken,
];

fn signed_in() -> Drive {
    let mut operations = services::transfer::catalogue();
    let names: Vec<_> = operations.iter().map(|entry| entry.name().to_owned()).collect();
    for name in names.iter().filter(|name| !name.ends_with("-token")) {
        let path = ServicePath::new(format!("/v5/partner/transfer/{name}")).unwrap();
        operations.set_path(name, path, Evidence::Assumed).unwrap();
    }
    let mut drive = Drive::new(services::transfer().with_operations(operations));
    drive.hunt.add("card number", CARD);
    drive.sign_in(SECRET, Keep::Always);
    drive.settle();
    drive
}

/// Does what a driver does, and looks at all that it handles.
fn plays<R: Debug>(drive: &mut Drive, mut call: Call<R>, end: End) -> Outcome<R> {
    let source = || Source::from(Box::<dyn std::error::Error + Send + Sync>::from("it broke"));
    loop {
        drive.outputs.show("a call", &call);
        let step = call.poll(drive.now);
        drive.outputs.show("a call's step", &step);
        match step {
            CallStep::Token if matches!(end, End::NoToken) => {
                call.on_no_bearer(source(), Recovery::SignIn);
            }
            CallStep::Token => {
                while drive.session.phase(drive.now).usable().is_none() {
                    drive.pass(61);
                    drive.settle();
                }
                let bearer = drive.session.phase(drive.now).usable().unwrap().bearer().clone();
                call.on_bearer(bearer);
            }
            CallStep::Record(entry) => {
                drive.outputs.show("an entry", &entry);
                let broken = matches!(end, End::NotRecorded);
                call.on_recorded(if broken { Err(source().into()) } else { Ok(7) });
            }
            CallStep::Send(exchange) => {
                let request = exchange.into_request();
                drive.outputs.show("a call's request", &request);
                match answer(drive, &request, end) {
                    Some(reply) => call.on_reply((&reply).into(), drive.now),
                    None => call.on_failure(TransportError::unknown().timed_out(), drive.now),
                }
            }
            CallStep::NotAdmitted(error) => panic!("nothing stands against it: {error}"),
            CallStep::Reject(epoch) => drive.session.reject(epoch, drive.now),
            CallStep::Wait { until } => {
                drive.now = drive.now.advanced_by(until.since(drive.now.mono));
            }
            CallStep::Over(outcome) => return outcome,
        }
    }
}

fn answer(drive: &mut Drive, request: &Request<Body>, end: End) -> Option<Response<Vec<u8>>> {
    let End::Quoted(status) = end else { return None };
    let body = std::str::from_utf8(request.body().as_ref()).unwrap();
    let token = request.headers().get("authorization").map(|value| value.to_str().unwrap());
    if token.is_none() && status == 200 {
        let now = Time::from_micros(drive.now.wall.unix_micros());
        return Some(
            drive.service.handle(now, &request.clone().map(|body| body.as_ref().to_vec())),
        );
    }
    Some(refusal(status, &format!("{} {body}", token.unwrap_or_default())))
}

/// Ends this operation's call in every way there is, and a second one by its permit.
fn each_end<O: imts_core::Operation>(operation: &O)
where
    O::Reply: Debug,
{
    for end in ENDS {
        let mut drive = signed_in();
        let deadline = drive.now.mono.after(Duration::from_secs(60));
        let call = drive.session.call(operation, deadline).unwrap().with_journal();
        let outcome = plays(&mut drive, call, end);
        drive.outputs.show("an outcome", &outcome);
        match outcome {
            Outcome::Refused(refusal) => drive.outputs.print("a refusal", &refusal),
            Outcome::Unknown(unknown) => {
                drive.outputs.print("an unknown outcome", &unknown);
                drive.outputs.error("why", unknown.why());
            }
            Outcome::Failed(failed) => {
                drive.outputs.error("why", failed.why());
                if let Some(permit) = failed.into_permit() {
                    drive.outputs.show("a permit", &permit);
                    let again = permit.retry(drive.now.mono.after(Duration::from_secs(60)));
                    let again = plays(&mut drive, again, End::Lost);
                    drive.outputs.show("another outcome", &again);
                }
            }
            Outcome::Done(reply) => drive.outputs.show("a reply", &reply),
        }
        assert_silent(&drive);
    }
}

fn own<N: OperationName>() {
    let request = json!({ "client_uuid": UUID, "destination_identifier": CARD });
    let operation = Custom::<N, _>::new(request).with_reference(UUID);
    assert!(!format!("{operation:?}").contains(CARD), "{operation:?}");
    each_end(&operation);
}

#[test]
fn no_call_says_a_token_or_a_card_number_however_it_goes() {
    own::<Cancel>();
    own::<Confirm>();
    own::<CreateBusiness>();
    own::<CreatePerson>();
    own::<GetAgents>();
    own::<GetBusinessInfo>();
    own::<GetPersonInfo>();
    own::<Info>();
    own::<Payout>();
    own::<PayoutConfirm>();
    own::<PrintApplication>();
    own::<Search>();
    own::<Status>();
}

/// It carries a secret in its body, and no token.
struct LogIn;

impl Operation for LogIn {
    const NAME: &'static str = "log-in";
    const PATH: Option<&'static str> = Some("/log-in");
    const AUTH: Auth = Auth::None;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(&serde_json::json!({ "user": AGENT, "password": SECRET }))
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload()
    }
}

#[test]
fn no_call_of_a_typed_operation_does_either() {
    let card = Destination::Pan(CARD.parse::<CardNumber>().unwrap());
    let uuid = UUID.parse().unwrap();
    let transfer =
        CreateTransfer::phone_based(uuid, card, "agent-9".parse().unwrap(), "UZB".parse().unwrap())
            .with_extra("source_card", Json::parse(&format!("\"{CARD}\"")).unwrap())
            .unwrap();
    each_end(&transfer);
    each_end(&Fees {
        originator_type: Originator::Person,
        target_country: "UZB".parse().unwrap(),
        amount_source: "15.4".parse().unwrap(),
        currency_source: "KZT".parse().unwrap(),
        currency_target: "UZS".parse().unwrap(),
        pg_sig: Some(Signature::new("abc").unwrap()),
    });
    each_end(&LogIn);
}
