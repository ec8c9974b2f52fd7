//! Calls that both clients sign: no sign-in, a new salt each, the pace, and doubt that stays doubt.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::call::NotCallable;
use imts::endpoint::ServicePath;
use imts::journal::{IntentError, MemoryJournal};
use imts::operation::{Account, Auth, Json, Repeat};
use imts::secret::Body;
use imts::services::card_api;
use imts::sign::jws::{Algorithm, JwsForm, JwsKey};
use imts::sign::pg_sig::{AcceptingKey, PgFields, PgSigner, Salt, Script, XmlRoot};
use imts::transport::Bounds;
use imts::{
    Builder, Catalogue, Class, Client, Endpoint, Evidence, Outcome, Service, TransportError,
};

type Log = Arc<Mutex<Vec<(Instant, Request<Vec<u8>>)>>>;

fn service(auth: Auth, repeat: Repeat) -> Service {
    let mut operations = Catalogue::new();
    let path = ServicePath::new("/v5/pay").unwrap();
    operations.add("pay", Class::Money, path, Evidence::Assumed).unwrap();
    operations.set_auth("pay", auth).unwrap();
    operations.set_repeat("pay", repeat).unwrap();
    operations.set_reference_field("pay", "order_id").unwrap();
    card_api::service()
        .with_operations(operations)
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

fn builder(service: Service) -> Builder {
    Builder::new(Endpoint::https("https://service.example").unwrap())
        .service(service)
        .jws("partner-7", JwsKey::new("a key").unwrap())
        .pg_sig("500", signer())
}

fn signer() -> PgSigner {
    PgSigner::new().with_accepting(AcceptingKey::new("accepting").unwrap())
}

fn order(id: &str) -> Json {
    Json::parse(&format!(r#"{{"order_id":"{id}"}}"#)).unwrap()
}

/// A transport that writes requests down, and answers each with these bytes.
fn answering(
    log: &Log,
    reply: Vec<u8>,
) -> impl Fn(Request<Body>, Bounds) -> Result<Response<Vec<u8>>, TransportError> + use<> {
    let log = Arc::clone(log);
    move |request, _| {
        let request = request.map(|body| body.as_ref().to_vec());
        log.lock().unwrap().push((Instant::now(), request));
        Ok(Response::new(reply.clone()))
    }
}

fn paid(client: &Client, id: &str) -> Result<Outcome<Json>, IntentError> {
    client.perform(client.call_named("pay", &order(id)).unwrap())
}

/// A success of the Gateway to `/v5/pay`.
fn signed_reply() -> Vec<u8> {
    let fields = PgFields::new().with("status", "ok");
    let (script, salt) = (Script::of("/v5/pay").unwrap(), Salt::new("salt").unwrap());
    let signed = signer().sign(Account::Accepting, &script, fields, &salt).unwrap();
    signed.to_xml(XmlRoot::Response).unwrap().as_ref().to_vec()
}

#[test]
fn a_client_with_keys_calls_without_a_sign_in_and_draws_a_salt_for_each_call() {
    let log = Log::default();
    let service = service(Auth::PgSig(Account::Accepting), Repeat::Unknown);
    let client = builder(service).blocking(answering(&log, signed_reply())).unwrap();
    for id in ["1", "2"] {
        assert!(matches!(paid(&client, id), Ok(Outcome::Done(_))));
    }
    let sent = log.lock().unwrap();
    assert_eq!(sent.len(), 2, "no sign-in");
    let salts: Vec<_> = sent
        .iter()
        .map(|(_, request)| {
            let fields = PgFields::from_form(request.body()).unwrap();
            let script = Script::of("/v5/pay").unwrap();
            let verified = signer().verify(Account::Accepting, &script, fields).unwrap();
            verified.text("pg_salt").unwrap().to_owned()
        })
        .collect();
    assert!(salts[0] != salts[1] && salts[0].len() == 16, "{salts:?}");
}

#[test]
fn the_same_order_is_not_sent_twice_although_its_salt_differs() {
    let log = Log::default();
    let service = service(Auth::PgSig(Account::Accepting), Repeat::Unknown);
    let client = builder(service)
        .journal(MemoryJournal::default())
        .blocking(answering(&log, signed_reply()))
        .unwrap();
    assert!(matches!(paid(&client, "1"), Ok(Outcome::Done(_))));
    assert!(matches!(paid(&client, "1"), Err(IntentError::AlreadyDone { .. })));
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[test]
fn calls_that_move_money_keep_the_pace_of_their_service() {
    let pace = Duration::from_millis(60);
    let log = Log::default();
    let service = service(Auth::Jws, Repeat::Unknown).with_pace(pace);
    let client =
        builder(service).blocking(answering(&log, br#"{"status":"ok"}"#.to_vec())).unwrap();
    let started = Instant::now();
    for id in ["1", "2", "3"] {
        assert!(matches!(paid(&client, id), Ok(Outcome::Done(_))));
    }
    let last = log.lock().unwrap()[2].0;
    // The clock of a client may be coarse.
    assert!(last - started >= pace * 2 - Duration::from_millis(15), "{:?}", last - started);
}

#[test]
fn a_lost_reply_that_the_service_replays_is_asked_for_with_the_same_bytes() {
    let log = Log::default();
    let answer = answering(&log, br#"{"status":"ok"}"#.to_vec());
    let sent = Arc::clone(&log);
    let transport = move |request: Request<Body>, bounds: Bounds| {
        let reply = answer(request, bounds);
        if sent.lock().unwrap().len() == 1 { Err(TransportError::unknown()) } else { reply }
    };
    let client = builder(service(Auth::Jws, Repeat::Replayed)).blocking(transport).unwrap();
    assert!(matches!(paid(&client, "1"), Ok(Outcome::Done(_))));
    let log = log.lock().unwrap();
    let [(_, one), (_, two)] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!((one.headers(), one.body()), (two.headers(), two.body()));
}

#[test]
fn a_call_that_may_have_arrived_stays_in_doubt_if_it_is_dropped_between_two_attempts() {
    let transport = (
        |_: Request<Body>, _: Bounds| std::future::ready(Err(TransportError::unknown())),
        |_: Duration| std::future::pending(),
    );
    let service = service(Auth::Jws, Repeat::Replayed);
    let client = builder(service).nonblocking(transport).unwrap();
    {
        let call = client.call_named("pay", &order("1")).unwrap();
        let mut future = pin!(client.perform(call));
        let polled: Poll<_> = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "it backs off");
    }
    let doubts = client.in_doubt().unwrap();
    assert_eq!(doubts.len(), 1, "it may have arrived");
    assert_eq!(doubts[0].reference.as_deref(), Some("1"));
}

#[test]
fn an_operation_whose_key_the_client_lacks_is_not_called() {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    let client = Builder::new(endpoint)
        .service(service(Auth::Jws, Repeat::Unknown))
        .blocking(|_: Request<Body>, _: Bounds| panic!("nothing is sent"))
        .unwrap();
    let error = client.call_named("pay", &order("1")).unwrap_err();
    assert!(matches!(error, NotCallable::Sign { .. }), "{error:?}");
    let shown = format!("{:?}", builder(service(Auth::Jws, Repeat::Unknown)));
    assert!(!shown.contains("a key") && !shown.contains("accepting"), "{shown}");
}
