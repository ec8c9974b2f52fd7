//! Link, code, tokens, profile, refresh, revocation: over a socket, through both clients.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts::services::freedom_id::{ProfileState, ProfileStatus, RequestProfile, revoked_id};
use imts::{Endpoint, HyperTransport, Keep, Outcome, TokenError, UreqTransport};
use imts_sandbox::{Front, Time};
use serde_json::json;

use crate::{World, builder, code, with};

const REQUEST: &str = "ac22c50c-22c7-4aeb-9160-e59b735f9c44";
const DAY: Duration = Duration::from_secs(86_400);

fn tls() -> imts::tls::Tls {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Arc::new(config).into()
}

/// The sandbox on a socket, by the world's clock.
fn front(world: &World) -> (Front, Endpoint) {
    let clock = world.clone();
    let service = std::mem::take(&mut *world.service.lock().unwrap());
    let front = Front::builder(service).clock(move || clock.time()).start().unwrap();
    let endpoint = Endpoint::plain_loopback(&front.url()).unwrap();
    (front, endpoint)
}

/// The user signs out of the account. Returns the body of the callback.
fn signs_out(front: &Front, now: Time) -> Vec<u8> {
    let url = json!({ "clients": { "sandbox-client": { "revoke_uri": "http://127.0.0.1:9/r" } } });
    let change = json!({ "freedom_id": url }).to_string().into_bytes();
    let send = |path: &str, body: Vec<u8>| {
        let request = Request::post(path).header("content-type", "application/json").body(body);
        let response: Response<Vec<u8>> = front.sandbox().handle(now, &request.unwrap());
        assert_eq!(response.status(), 200, "{path}: {}", String::from_utf8_lossy(response.body()));
    };
    send("/_sandbox/settings", change);
    let mut sandbox = front.sandbox();
    let request = Request::post("/_sandbox/freedom-id/sign-out")
        .header("content-type", "application/json")
        .body(b"{}".to_vec());
    let response = sandbox.handle(now, &request.unwrap());
    assert_eq!(response.status(), 200);
    let outgoing = sandbox.take_outgoing(now).expect("a revocation is sent");
    outgoing.request.body().clone()
}

#[test]
fn a_user_signs_in_reads_a_profile_is_refreshed_and_revoked_over_ureq() {
    let world = World::new();
    let (front, endpoint) = front(&world);
    let transport = UreqTransport::builder(tls()).build();
    let code = code(&endpoint, &transport, |request| front.sandbox().handle(world.time(), request));
    let client = builder(endpoint, "user-1", world.clock.clone()).blocking(transport).unwrap();
    assert!(matches!(client.token(), Err(TokenError::SignIn { last: None })));
    client.sign_in(with(&code), Keep::Once);
    let first = client.token().unwrap().expose_token().to_owned();
    let profile = client.call(&RequestProfile::new(REQUEST).unwrap()).unwrap();
    let Outcome::Done(profile) = profile else { panic!("{profile:?}") };
    assert_eq!(profile.request_id, REQUEST);
    world.clock.advance(Duration::from_secs(6));
    // A GET with a body, as the page prints it.
    let status = ProfileStatus::new(REQUEST).unwrap();
    let Outcome::Done(profile) = client.call(&status).unwrap() else { panic!("no profile") };
    assert_ne!(profile.state, ProfileState::NotFound, "the service has read the body");
    world.clock.advance(7 * DAY);
    let second = client.token().unwrap().expose_token().to_owned();
    assert_ne!(first, second, "refreshed");
    let body = signs_out(&front, world.time());
    let id = revoked_id(&body).unwrap();
    assert!(client.revoked(&id));
    let requests = front.log().len();
    assert!(matches!(client.token(), Err(TokenError::SignIn { .. })));
    assert_eq!(front.log().len(), requests, "nothing is sent because of it");
}

#[test]
fn the_same_over_hyper() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new();
        let (front, endpoint) = front(&world);
        let sends = UreqTransport::builder(tls()).build();
        let browser = |request: &Request<Vec<u8>>| front.sandbox().handle(world.time(), request);
        let code = code(&endpoint, &sends, browser);
        let transport = HyperTransport::builder(tls()).build();
        let client =
            builder(endpoint, "user-1", world.clock.clone()).nonblocking(transport).unwrap();
        assert!(matches!(client.token().await, Err(TokenError::SignIn { last: None })));
        client.sign_in(with(&code), Keep::Once);
        let first = client.token().await.unwrap().expose_token().to_owned();
        let request = RequestProfile::new(REQUEST).unwrap();
        assert!(matches!(client.call(&request).await.unwrap(), Outcome::Done(_)));
        world.clock.advance(Duration::from_secs(6));
        let status = ProfileStatus::new(REQUEST).unwrap();
        let Outcome::Done(profile) = client.call(&status).await.unwrap() else { panic!() };
        assert_ne!(profile.state, ProfileState::NotFound, "the service has read the body");
        world.clock.advance(7 * DAY);
        let second = client.token().await.unwrap().expose_token().to_owned();
        assert_ne!(first, second, "refreshed");
        let id = revoked_id(&signs_out(&front, world.time())).unwrap();
        assert!(client.revoked(&id));
        assert!(matches!(client.token().await, Err(TokenError::SignIn { .. })));
    });
}
