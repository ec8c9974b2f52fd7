//! Get token, held to the vendor's own example bodies, byte for byte.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Response};
use imts_core::endpoint::ServicePath;
use imts_core::exchange::Purpose;
use imts_core::service::{CredentialsIn, Refresh, SignIn, TokenIn};
use imts_core::services::transfer;
use imts_core::{Credentials, Evidence, Keep, services};
use serde_json::Value;

use crate::support::{START, World, seconds};

const REQUEST: &str = include_str!("../fixtures/get-token.request.json");
const REPLY: &[u8] = include_bytes!("../fixtures/get-token.reply.json");

#[test]
fn the_sign_in_request_is_the_published_one() {
    let mut world = World::empty();
    let credentials = Credentials::new("string", "string").unwrap();
    world.session.sign_in(credentials, Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    let (_, request) = &world.requests[0];
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://service.example/v5/partner/transfer/agent/auth");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(request.headers()[ACCEPT], "application/json");
    assert!(!request.headers().contains_key(AUTHORIZATION));
    assert_eq!(world.body(), serde_json::from_str::<Value>(REQUEST).unwrap());
    assert_eq!(transfer::tokens().sign_in().evidence(), Evidence::Published);
}

#[test]
fn any_credentials_that_one_can_see_reach_the_wire_as_they_are() {
    let odd = " quote \" backslash \\ nbsp \u{a0} é 鍵 \u{1f511} ";
    let mut world = World::empty();
    world.session.sign_in(Credentials::new(odd, odd).unwrap(), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    assert_eq!(world.body()["agent_id"], odd);
    assert_eq!(world.body()["agent_secret"], odd);
}

#[test]
fn the_examples_tokens_live_as_long_as_its_dates_say() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    let response =
        Response::builder().header(CONTENT_TYPE, "application/json").body(REPLY.to_vec()).unwrap();
    world.reply(&response).unwrap();
    let usable = world.session.phase(world.now).usable().unwrap();
    assert_eq!(usable.lifetime().as_micros(), 899_422_255);
    assert_eq!(usable.remaining(), usable.lifetime());
    let token = usable.bearer().expose_token();
    assert_eq!(token.len(), 344);
    assert_eq!(usable.bearer().header(), &format!("Bearer {token}"));
    assert!(usable.bearer().header().is_sensitive());
    let date = |wall: imts_core::time::Wall| wall.to_datetime().unwrap().to_rfc3339();
    assert_eq!(date(usable.access_expire_at()), "2025-07-23T11:32:31+00:00");
    assert_eq!(date(usable.refresh_expire_at().unwrap()), "2025-08-22T11:17:31+00:00");
    // The refresh token's life: alive a microsecond before its end, dead at it.
    world.now = START.advanced_by(std::time::Duration::from_micros(2_591_999_422_254));
    assert_eq!(world.phase(), "expired");
    world.now = START.advanced_by(std::time::Duration::from_micros(2_591_999_422_255));
    assert_eq!(world.phase(), "unauthenticated");
}

#[test]
fn a_refresh_is_sent_as_assumed() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    let (_, request) = &world.requests[1];
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://service.example/v5/partner/transfer/agent/refresh");
    assert!(!request.headers().contains_key(AUTHORIZATION));
    assert_eq!(world.body(), serde_json::json!({ "refresh_token": "refresh-1" }));
    assert_eq!(transfer::tokens().refresh().unwrap().evidence(), Evidence::Assumed);
}

#[test]
fn how_to_sign_in_and_to_refresh_is_data() {
    let path = ServicePath::new("/api/v1/oauth/token").unwrap();
    let credentials = CredentialsIn::body("user\n", "pass\"word");
    let sign_in = SignIn::new("log-in", Method::PUT, path.clone(), credentials);
    let refresh = Refresh::new(Method::PATCH, path, TokenIn::Bearer);
    let tokens = transfer::tokens().with_sign_in(sign_in).with_refresh(refresh);
    let service = services::transfer().with_tokens(tokens);
    let endpoint = imts_core::Endpoint::https("https://other.example/base").unwrap();
    let session = imts_core::Session::new(endpoint, service, crate::support::policy()).unwrap();
    let mut world = World::of(session);
    world.session.sign_in(Credentials::new("a", "b").unwrap(), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    let (_, request) = &world.requests[0];
    assert_eq!(request.uri(), "https://other.example/base/api/v1/oauth/token");
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(world.body(), serde_json::json!({ "user\n": "a", "pass\"word": "b" }));
    world.granted();
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let (_, request) = &world.requests[1];
    assert_eq!((request.method(), request.body().as_ref()), (&Method::PATCH, &b""[..]));
    assert!(!request.headers().contains_key(CONTENT_TYPE), "there is no content");
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer refresh-1");
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
}

#[test]
fn without_a_refresh_of_the_service_a_session_signs_in_again() {
    let endpoint = imts_core::Endpoint::https("https://service.example").unwrap();
    let tokens = transfer::tokens().with_refresh(None);
    let service = services::transfer().with_tokens(tokens);
    let mut world =
        World::of(imts_core::Session::new(endpoint, service, crate::support::policy()).unwrap());
    world.session.sign_in(Credentials::new("a", "b").unwrap(), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    world.granted();
    world.pass(seconds(1_000));
    world.sends(Purpose::SignIn);
}

#[test]
fn the_services_own_paths_are_ones_that_anyone_could_give() {
    let tokens = transfer::tokens();
    for path in [tokens.sign_in().path(), tokens.refresh().unwrap().path()] {
        assert_eq!(&ServicePath::new(path.as_str()).unwrap(), path);
    }
}
