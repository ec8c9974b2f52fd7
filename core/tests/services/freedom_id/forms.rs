//! The forms of Freedom ID's operations, as its pages print them.

use imts_core::error::ReplyError;
use imts_core::operation::{Auth, Json};
use imts_core::services::freedom_id::{
    self, AuthorizationLink, BackError, CreateUser, Gender, LinkState, OidcError, OidcRequest,
    OidcToken, ProfileState, ProfileStatus, RequestProfile, UpdateUser, UserFields, UserGrant,
    UserInfo,
};
use imts_core::time::Mono;
use imts_core::{Call, CallStep, Class, Endpoint, Evidence, Operation, Outcome, Policy, Session};
use serde_json::{Value, json};

use crate::support::{START, World, endpoint, pair};

const REQUEST_ID: &str = "ac22c50c-22c7-4aeb-9160-e59b735f9c44";
const LATER: Mono = Mono::from_micros(60_000_000);

#[expect(clippy::disallowed_methods, reason = "a test reads its fixtures")]
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/freedom-id/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn body(operation: &impl Operation) -> Value {
    serde_json::from_slice(operation.encode().unwrap().as_ref()).unwrap()
}

/// What a call of a signed-in session ends with, if the service replies with this.
fn ends<O: Operation>(operation: &O, status: u16, reply: &Value) -> Outcome<O::Reply>
where
    O::Reply: std::fmt::Debug,
{
    let mut world = World::signed_in();
    let _a_token = world.token();
    let mut call = world.session.call(operation, LATER).unwrap();
    loop {
        match call.poll(world.now) {
            CallStep::Token => match world.session.poll(world.now) {
                imts_core::Step::Ready(bearer) => call.on_bearer(bearer),
                step => panic!("{step:?}"),
            },
            CallStep::Send(_) => {
                let response = http::Response::builder()
                    .status(status)
                    .header("content-type", "application/json")
                    .body(reply.to_string().into_bytes())
                    .unwrap();
                call.on_reply((&response).into(), world.now);
            }
            CallStep::Over(outcome) => return outcome,
            step => panic!("{step:?}"),
        }
    }
}

fn done<O: Operation>(operation: &O, reply: &Value) -> O::Reply
where
    O::Reply: std::fmt::Debug,
{
    match ends(operation, 200, reply) {
        Outcome::Done(reply) => reply,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn the_link_is_asked_for_as_printed_with_a_value_that_nobody_can_guess() {
    let state = LinkState::new([0x5a; 32]);
    let grants = [UserGrant::Email, UserGrant::Phone];
    let link = AuthorizationLink::new("https://example.com/login", grants, &state).unwrap();
    let mut printed = fixture("authorize.request");
    printed["redirect_uri"] = format!("https://example.com/login?state={}", "5a".repeat(32)).into();
    assert_eq!(body(&link), printed);
    assert_eq!((AuthorizationLink::AUTH, AuthorizationLink::CLASS), (Auth::Basic, Class::Read));
    assert!(!format!("{link:?} {state:?}").contains("5a5a"));
    let own = AuthorizationLink::new("https://example.com/a?b=c", [UserGrant::OpenId], &state);
    assert!(body(&own.unwrap())["redirect_uri"].as_str().unwrap().contains("/a?b=c&state=5a5a"));
    for url in [
        "http://example.com/login",
        "https://example.com/#a",
        "https://example.com/?state=1",
        "/login",
        "javascript:alert(1)",
    ] {
        let refused = AuthorizationLink::new(url, [UserGrant::Email], &state).unwrap_err();
        assert_eq!(refused.field(), "redirect_uri", "{url}");
    }
    assert!(AuthorizationLink::new("http://127.0.0.1:8/", [UserGrant::Email], &state).is_ok());
    let none = AuthorizationLink::new("https://example.com/", [], &state).unwrap_err();
    assert_eq!(none.field(), "grants");
}

#[test]
fn a_way_back_is_believed_only_with_the_value_that_went_out() {
    let state = LinkState::new([0x5a; 32]);
    let right = "5a".repeat(32);
    let back = |query: &str| state.code(query).map(|code| code.expose().to_owned());
    assert_eq!(back(&format!("authorization_code=a%2Bb&state={right}")).unwrap(), "a+b");
    let url = format!("https://example.com/login?state={right}&authorization_code=abc#top");
    assert_eq!(back(&url).unwrap(), "abc");
    for wrong in [
        "authorization_code=abc".to_owned(),
        format!("authorization_code=abc&state={}", "5b".repeat(32)),
        format!("authorization_code=abc&state={}", &right[..62]),
        format!("authorization_code=abc&state={right}&state={right}"),
        "state=&authorization_code=abc".to_owned(),
        "error_code=100102".to_owned(),
    ] {
        assert_eq!(back(&wrong).unwrap_err(), BackError::NotOurs, "{wrong}");
    }
    let refused = format!("state={right}&error_code=100102");
    assert_eq!(back(&refused).unwrap_err(), BackError::Refused { code: Some(100_102) });
    let twice = format!("state={right}&authorization_code=a&authorization_code=b");
    assert_eq!(back(&twice).unwrap_err(), BackError::NoCode);
    assert_eq!(back(&format!("state={right}")).unwrap_err(), BackError::NoCode);
    assert_eq!(LinkState::from_text(state.expose()).unwrap().expose(), right);
    assert!(LinkState::from_text("5a").is_none());
}

#[test]
fn replies_are_bare_objects_as_printed() {
    let state = LinkState::new([0; 32]);
    let link = AuthorizationLink::new("https://example.com/", [UserGrant::Email], &state).unwrap();
    drop(link);
    let request = RequestProfile::new(REQUEST_ID).unwrap();
    assert_eq!(body(&request), json!({ "request_id": REQUEST_ID }));
    assert_eq!(request.encode().unwrap().as_ref().len(), 53);
    let profile = done(&request, &fixture("request-profile.reply"));
    assert_eq!(profile.state, ProfileState::Accepted);
    assert_eq!(profile.status_message.as_deref(), Some("PROCESS: profile is pending"));
    let status = ProfileStatus::new(REQUEST_ID).unwrap();
    let reply = json!({ "request_id": REQUEST_ID, "status": "completed", "freedom_id": "f",
        "profile": { "payload": "opaque" }, "datetime": "2025-02-25T06:50:46.555757Z" });
    let profile = done(&status, &reply);
    assert_eq!(
        (profile.state, profile.payload.as_deref()),
        (ProfileState::Completed, Some("opaque"))
    );
    let later = json!({ "request_id": REQUEST_ID, "status": "paused" });
    assert_eq!(done(&status, &later).state, ProfileState::Other("paused".into()));
    assert!(RequestProfile::new("17").is_err() && ProfileStatus::new("g".repeat(36)).is_err());
    assert_eq!(
        (ProfileStatus::METHOD.as_str(), ProfileStatus::CLASS, RequestProfile::CLASS),
        ("GET", Class::Read, Class::Create)
    );
}

#[test]
fn each_printed_error_is_a_refusal_under_a_success_and_under_a_4xx() {
    let request = RequestProfile::new(REQUEST_ID).unwrap();
    for (name, says) in [
        ("business.error", "Invalid authorization_code."),
        ("validation.error", "Error validating transmitted data."),
        ("validation-in-array.error", "Error validating transmitted data."),
    ] {
        for status in [200, 400, 422] {
            match ends(&request, status, &fixture(name)) {
                Outcome::Refused(refusal) => {
                    assert_eq!(refusal.message(), Some(says), "{name} {status}");
                    let code = (name == "business.error").then_some("100101");
                    assert_eq!(refusal.code(), code, "{name} {status}");
                }
                outcome => panic!("{name} {status}: {outcome:?}"),
            }
        }
    }
    // A success that is neither proves nothing about what the service did.
    let odd = json!({ "error": {} });
    assert!(matches!(ends(&request, 200, &odd), Outcome::Unknown(_)));
    let _the_type: Option<ReplyError> = None;
}

#[test]
fn a_user_is_made_and_changed_as_printed_at_a_host_that_was_named() {
    let fields = || {
        UserFields::new("+1234567890")
            .unwrap()
            .with_email("user@example.com")
            .with_name("John", "Doe")
    };
    let all = fields().with_date_of_birth("2000-01-01").unwrap().with_identifier("123456789");
    let all = all.with_country("KAZ").unwrap().with_gender(Gender::Male);
    let create = CreateUser(all.with_nationality("citizen of the world"));
    assert_eq!(body(&create), fixture("create-user.request"));
    let update = UpdateUser::new(REQUEST_ID, fields()).unwrap();
    assert_eq!(body(&update)["freedom_id"], REQUEST_ID);
    assert_eq!(body(&update)["phone"], "+1234567890");
    assert!(UserFields::new("+123").is_err() && fields().with_country("kaz").is_err());
    assert!(fields().with_date_of_birth("1.1.2000").is_err());

    let session = |service| Session::new(endpoint(), service, Policy::default()).unwrap();
    let plain = session(freedom_id::service());
    let refused = plain.call(&create, LATER).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`create-user` is at a host of its own: name it with `set_endpoint`"
    );
    assert!(plain.call_named("update-user", &Json::parse("{}").unwrap(), LATER).is_err());
    let bare =
        imts_core::service::Service::new(&crate::support::FORMAT, imts_core::Catalogue::new());
    assert!(session(bare.with_tokens(freedom_id::tokens())).call(&create, LATER).is_err());

    let users = Endpoint::https(freedom_id::USERS_URL).unwrap();
    let world = World::signed_in();
    let mut named = session(freedom_id::service_with_users(&users));
    named.adopt(world.session.saved(world.now).unwrap(), START).unwrap();
    let sent = |mut call: Call<Json>, session: &mut Session| loop {
        match call.poll(START) {
            CallStep::Token => match session.poll(START) {
                imts_core::Step::Ready(bearer) => call.on_bearer(bearer),
                step => panic!("{step:?}"),
            },
            CallStep::Send(exchange) => break exchange.into_request(),
            step => panic!("{step:?}"),
        }
    };
    let call = named.call(&create, LATER).unwrap();
    assert!(call.is_for(&endpoint()), "it takes the token of the service");
    let request = sent(call, &mut named);
    assert_eq!(request.uri(), "https://api.freedompay.kz/api/v1/oauth/user");
    let call = named.call(&update, LATER).unwrap();
    let request = sent(call, &mut named);
    assert_eq!(
        (request.method().as_str(), request.uri().host()),
        ("PUT", Some("api.freedompay.kz"))
    );
    let call = named.call(&RequestProfile::new(REQUEST_ID).unwrap(), LATER).unwrap();
    assert!(call.is_for(&endpoint()));
}

#[test]
fn user_info_has_no_path_before_one_is_given() {
    let world = World::signed_in();
    let refused = world.session.call(&UserInfo, LATER).unwrap_err();
    assert!(refused.to_string().contains("user-info"), "{refused}");
    let entry = freedom_id::catalogue();
    let evidence = |name: &str| entry.entry(name).unwrap().evidence();
    assert_eq!(evidence("user-info"), Evidence::Unknown);
    assert_eq!(evidence("oidc-token"), Evidence::Assumed);
    assert_eq!(evidence("profile-status"), Evidence::Published);
}

#[test]
fn an_openid_sign_in_checks_state_and_nonce_and_reads_the_id_token_as_a_hint() {
    let claims = fixture("id-token.claims");
    let (client, issuer) = (claims["aud"].as_str().unwrap(), claims["iss"].as_str().unwrap());
    let (state, nonce) = (LinkState::new([1; 32]), LinkState::new([2; 32]));
    let request = OidcRequest::new(client, "https://example.com/back", state, nonce).unwrap();
    let request = request.with_grant(&UserGrant::Email).with_grant(&UserGrant::OpenId);
    let url = request.url(&endpoint());
    let expected = format!(
        "https://passport.example/openid?scope=openid%20read.email&state={}&response_type=code\
         &client_id={client}&redirect_uri=https%3A%2F%2Fexample.com%2Fback&nonce={}",
        "01".repeat(32),
        "02".repeat(32)
    );
    assert_eq!(url, expected);
    assert_eq!(request.code("code=c&state=1").unwrap_err(), BackError::NotOurs);
    let back = format!("state={}&", "01".repeat(32));
    let refused = request.code(&format!("{back}error=access_denied")).unwrap_err();
    assert_eq!(refused, BackError::Refused { code: None });
    assert_eq!(request.code(&back).unwrap_err(), BackError::NoCode);
    let exchange = request.exchange(request.code(&format!("{back}code=c")).unwrap());
    let form = json!({ "code": "c", "redirect_uri": "https://example.com/back",
        "grant_type": "authorization_code" });
    assert_eq!(body(&exchange), form);
    assert_eq!((OidcToken::AUTH, OidcToken::CLASS), (Auth::Basic, Class::Create));

    let hint = |claims: &Value| {
        let id_token = format!("e30.{}.c2ln", base64_url(claims.to_string().as_bytes()));
        let reply = json!({ "access_token": "a", "expires_in": 604_800, "refresh_token": "r",
            "token_type": "Bearer", "id_token": id_token });
        let response = http::Response::builder().header("content-type", "application/json");
        let response = response.body(reply.to_string().into_bytes()).unwrap();
        let service = imts_core::Service::new(&crate::support::FORMAT, imts_core::Catalogue::new());
        let open = Opened(exchange.clone());
        let mut call = Call::new(&open, &service, &endpoint(), Policy::default(), LATER).unwrap();
        assert!(matches!(call.poll(START), CallStep::Send(_)));
        call.on_reply((&response).into(), START);
        let CallStep::Over(Outcome::Done(tokens)) = call.poll(START) else { panic!("no tokens") };
        assert_eq!((tokens.expose_access_token(), tokens.expires_in()), ("a", 604_800));
        assert!(!format!("{tokens:?}").contains("e30"));
        request.hint(&tokens, issuer)
    };
    assert_eq!(
        hint(&claims).unwrap_err(),
        OidcError::Nonce,
        "the printed one is of another sign-in"
    );
    let mut own = claims.clone();
    own["nonce"] = "02".repeat(32).into();
    let read = hint(&own).unwrap();
    assert_eq!(read.subject, "41790bb3-62ba-461f-9bed-e232e30ad377");
    assert_eq!(read.expires_at - read.issued_at, 7 * 86_400);
    for (field, value) in [("aud", "another"), ("iss", "https://elsewhere.example")] {
        let mut other = own.clone();
        other[field] = value.into();
        assert_eq!(hint(&other).unwrap_err(), OidcError::Other);
    }
    assert_eq!(hint(&json!([])).unwrap_err(), OidcError::Unreadable);
}

/// The exchange without its credentials, so that no key is needed to read its reply.
struct Opened(OidcToken);

impl Operation for Opened {
    const NAME: &'static str = "opened";
    const PATH: Option<&'static str> = OidcToken::PATH;
    const AUTH: Auth = Auth::None;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = <OidcToken as Operation>::Reply;

    fn encode(&self) -> Result<imts_core::secret::Body, imts_core::error::EncodeError> {
        self.0.encode()
    }

    fn decode(
        success: imts_core::operation::Success<'_>,
    ) -> Result<Self::Reply, imts_core::error::Malformed> {
        OidcToken::decode(success)
    }
}

/// Base 64 for URLs, without padding.
fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut all = [0; 4];
        all[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(all);
        for at in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

#[test]
fn a_known_reply_of_the_exchanges_is_read_with_its_printed_dates() {
    let mut world = World::signed_in();
    let usable = world.session.phase(world.now).usable().unwrap();
    assert_eq!(usable.lifetime().as_secs(), 7 * 86_400, "computed from the printed example");
    assert!(pair(1).contains("01953bd1-a6d3-739e-8aa3-83e881f09055"));
    assert_eq!(world.token(), "access-1");
}
