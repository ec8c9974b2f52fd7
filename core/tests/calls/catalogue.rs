//! The list of operations, held to the files, to the fixtures, and to its own rules.

use std::fs;
use std::path::Path;

use imts_core::call::NotCallable;
use imts_core::catalogue::CatalogueError;
use imts_core::endpoint::{EndpointError, ServicePath};
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::Custom;
use imts_core::operation::{Auth, Json, Success};
use imts_core::secret::Body;
use imts_core::services::transfer::Confirm;
use imts_core::{CallStep, Class, Endpoint, Evidence, Operation, Session, services};
use serde_json::Value;

use crate::support::{Desk, TIME, catalogue, policy};

/// Name, path, class and evidence, as the vendor lists them.
const OPERATIONS: &str = include_str!("../fixtures/operations.json");

#[test]
fn the_catalogue_is_the_vendors_list() {
    let listed: Vec<Value> = serde_json::from_str(OPERATIONS).unwrap();
    let catalogue = services::transfer::catalogue();
    assert_eq!((listed.len(), catalogue.len()), (17, 15));
    let (exchanges, operations) = listed.split_at(2);
    let tokens = services::transfer::tokens();
    let (sign_in, refresh) = (tokens.sign_in(), tokens.refresh().unwrap());
    let refresh = (refresh.name(), refresh.path(), refresh.evidence());
    let sign_in = (sign_in.name(), sign_in.path(), sign_in.evidence());
    for (listed, (name, path, evidence)) in exchanges.iter().zip([sign_in, refresh]) {
        assert_eq!(
            (&listed["name"], &listed["evidence"]),
            (&name.into(), &evidence.as_str().into())
        );
        assert_eq!(listed["path"], path.as_str());
    }
    for (listed, entry) in operations.iter().zip(catalogue.iter()) {
        let path = entry.path().map(ServicePath::as_str);
        assert_eq!(listed["name"], entry.name());
        assert_eq!(listed["path"].as_str(), path, "{}", entry.name());
        assert_eq!(listed["class"], entry.class().as_str(), "{}", entry.name());
        assert_eq!(listed["evidence"], entry.evidence().as_str(), "{}", entry.name());
        assert_eq!(entry.auth(), Auth::Bearer);
        assert!(path.is_none_or(|path| ServicePath::new(path).is_ok()), "{path:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may look at the files that it is about")]
fn each_operation_has_a_file_that_opens_with_its_path_or_shares_that_of_mere_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services/transfer");
    let names = fs::read_to_string(folder.join("named.rs")).unwrap();
    for entry in services::transfer::catalogue().iter() {
        let file = folder.join(format!("{}.rs", entry.name().replace('-', "_")));
        let own = fs::read_to_string(file).ok();
        let first_line = match entry.path() {
            Some(path) => format!("//! `POST {path}`"),
            None => "//! `POST`, path unknown".to_owned(),
        };
        assert!(own.as_ref().is_none_or(|own| own.starts_with(&first_line)), "{}", entry.name());
        assert!(own.is_some() || entry.path().is_none(), "{} has no file", entry.name());
        let name = format!("\"{}\"", entry.name());
        assert!(own.unwrap_or_else(|| names.clone()).contains(&name), "{name}");
    }
}

#[test]
fn a_service_of_another_session_leads_to_the_endpoint_of_the_next() {
    struct Open;
    impl Operation for Open {
        const NAME: &'static str = "status";
        const PATH: Option<&'static str> = None;
        const AUTH: Auth = Auth::None;
        const CLASS: Class = Class::Read;
        const EVIDENCE: Evidence = Evidence::Assumed;
        type Reply = ();

        fn encode(&self) -> Result<Body, EncodeError> {
            Ok(Body::default())
        }

        fn decode(_: Success<'_>) -> Result<(), Malformed> {
            Ok(())
        }
    }
    let desk = Desk::with(policy(), catalogue());
    let other = Endpoint::https("https://other.example/base").unwrap();
    let service = desk.session.service().clone();
    let next = Session::new(other, service, policy()).unwrap();
    let url_of = |session: &Session| {
        let mut call = session.call(&Open, desk.now.mono.after(TIME)).unwrap();
        let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it takes no token") };
        exchange.request().uri().to_string()
    };
    assert_eq!(url_of(&desk.session), "https://service.example/v5/partner/transfer/status");
    assert_eq!(url_of(&next), "https://other.example/base/v5/partner/transfer/status");
}

#[test]
fn an_operation_without_a_path_is_an_error_that_says_where_to_put_it() {
    let desk = Desk::with(policy(), services::transfer::catalogue());
    let call = desk.session.call(&Custom::<Confirm, _>::new(()), desk.now.mono.after(TIME));
    let error = call.unwrap_err();
    assert_eq!(error, NotCallable::NoPath { name: "confirm".to_owned() });
    for words in ["confirm", "[operation.confirm]", "path = ", "vendor's page"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    let json = Json::parse("{}").unwrap();
    let named = |name: &str| desk.session.call_named(name, &json, desk.now.mono.after(TIME));
    assert_eq!(named("confirm").unwrap_err(), error);
    assert!(matches!(named("nothing"), Err(NotCallable::NoSuchOperation { .. })));
}

/// What a type may claim of its operation.
trait Claim {
    const NAME: &'static str;
    const PATH: &'static str;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class;
}

/// An operation that is what it claims to be, with nothing in its request.
struct Claims<C>(C);

impl<C: Claim> Operation for Claims<C> {
    const NAME: &'static str = C::NAME;
    const PATH: Option<&'static str> = Some(C::PATH);
    const AUTH: Auth = C::AUTH;
    const CLASS: Class = C::CLASS;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(&serde_json::json!({}))
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload()
    }
}

/// Claims that it only asks.
struct Lowered;

impl Claim for Lowered {
    const NAME: &'static str = "confirm";
    const PATH: &'static str = "/confirm";
    const CLASS: Class = Class::Read;
}

#[test]
fn a_catalogued_class_cannot_be_lowered() {
    // By its path where that is known, and by its name where the type alone has a path.
    for catalogue in [crate::support::catalogue(), services::transfer::catalogue()] {
        let desk = Desk::with(policy(), catalogue);
        let error = desk.session.call(&Claims(Lowered), desk.now.mono.after(TIME)).unwrap_err();
        let has_money = matches!(error, NotCallable::ClassLowered { has: Class::Money, .. });
        assert!(has_money, "{error:?}");
    }
    let mut catalogue = services::transfer::catalogue();
    let path = ServicePath::new("/confirm").unwrap();
    let error = catalogue.add("confirm", Class::Read, path, Evidence::Assumed).unwrap_err();
    assert!(matches!(error, CatalogueError::ClassIsFixed { class: Class::Money, .. }));
}

/// Goes where `confirm` goes, under a name of its own.
struct Aside;

impl Claim for Aside {
    const NAME: &'static str = "aside";
    const PATH: &'static str = "/v5/partner/transfer/confirm";
    const CLASS: Class = Class::Create;
}

#[test]
fn no_other_name_for_a_path_lowers_its_class() {
    let lowered = |error| matches!(error, NotCallable::ClassLowered { name, has: Class::Money, .. } if name == "confirm");
    let desk = Desk::new();
    let until = desk.now.mono.after(TIME);
    assert!(lowered(desk.session.call(&Claims(Aside), until).unwrap_err()));
    let mut catalogue = crate::support::catalogue();
    let path = ServicePath::new(Aside::PATH).unwrap();
    catalogue.add("read-aside", Class::Read, path.clone(), Evidence::Assumed).unwrap();
    catalogue.add("money-aside", Class::Money, path, Evidence::Assumed).unwrap();
    let desk = Desk::with(policy(), catalogue);
    let json = Json::parse("{}").unwrap();
    assert!(lowered(desk.session.call_named("read-aside", &json, until).unwrap_err()));
    assert!(desk.session.call_named("money-aside", &json, until).is_ok());
    // Where nothing else is, it is what it says.
    let desk = Desk::with(policy(), services::transfer::catalogue());
    assert!(desk.session.call(&Claims(Aside), until).is_ok());
    assert_eq!(Claims(Aside).reference(), None);
}

/// Would lead elsewhere.
struct Elsewhere;

impl Claim for Elsewhere {
    const NAME: &'static str = "elsewhere";
    const PATH: &'static str = "//evil.example/steal";
    const CLASS: Class = Class::Read;
}

#[test]
fn a_path_that_could_carry_the_token_elsewhere_is_an_error() {
    let desk = Desk::new();
    let error = desk.session.call(&Claims(Elsewhere), desk.now.mono.after(TIME)).unwrap_err();
    assert_eq!(error, NotCallable::Path(EndpointError::Path));
    for path in [
        "https://evil.example/",
        "//evil.example",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a%2fb",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/a\nb",
        "a",
        "",
        "/a/./b",
        "/é",
    ] {
        assert!(ServicePath::new(path).is_err(), "{path:?}");
    }
}

#[test]
fn operations_outside_the_section_are_added_with_a_class_and_can_be_given_another() {
    let mut catalogue = services::transfer::catalogue();
    let path = |path: &str| ServicePath::new(path).unwrap();
    let unknown = catalogue.set_path("report", path("/r"), Evidence::Assumed).unwrap_err();
    assert!(matches!(unknown, CatalogueError::NoSuchOperation { .. }));
    catalogue.add("report", Class::Read, path("/r"), Evidence::Assumed).unwrap();
    catalogue.add("report", Class::Money, path("/s"), Evidence::Draft).unwrap();
    let entry = catalogue.entry("report").unwrap();
    assert_eq!((entry.class(), entry.path().unwrap().as_str()), (Class::Money, "/s"));
    assert!(!entry.is_built_in() && catalogue.entry("confirm").unwrap().is_built_in());
    assert!(catalogue.len() == 16 && !catalogue.is_empty());
    let longest = "x".repeat(64);
    catalogue.add(&longest, Class::Read, path("/r"), Evidence::Assumed).unwrap();
    for bad in ["", "Report", "re port", "a.b", &"x".repeat(65)] {
        let added = catalogue.add(bad, Class::Read, path("/r"), Evidence::Assumed);
        assert_eq!(added.unwrap_err(), CatalogueError::Name, "{bad:?}");
    }
}

#[test]
fn how_surely_a_token_exchange_is_known_is_the_integrators_to_say() {
    let tokens = services::transfer::tokens();
    let path = || ServicePath::new("/v6/token").unwrap();
    let sign_in = tokens.sign_in().clone().with_path(path());
    let refresh = tokens.refresh().unwrap().clone().with_path(path());
    assert_eq!((sign_in.evidence(), refresh.evidence()), (Evidence::Assumed, Evidence::Assumed));
    let tokens = tokens
        .with_sign_in(sign_in.with_evidence(Evidence::Draft))
        .with_refresh(refresh.with_evidence(Evidence::Published));
    let (sign_in, refresh) = (tokens.sign_in(), tokens.refresh().unwrap());
    assert_eq!((sign_in.evidence(), sign_in.path()), (Evidence::Draft, &path()));
    assert_eq!((refresh.evidence(), refresh.path()), (Evidence::Published, &path()));
}

#[test]
fn a_token_exchange_cannot_be_called_by_its_name_or_by_its_path() {
    struct Open;
    impl Claim for Open {
        const NAME: &'static str = "open";
        const PATH: &'static str = "/v5/partner/transfer/agent/auth";
        const AUTH: Auth = Auth::None;
        const CLASS: Class = Class::Read;
    }
    let mut operations = catalogue();
    let path = |path: &str| ServicePath::new(path).unwrap();
    let refresh = path("/v5/partner/transfer/agent/refresh");
    operations.set_path("cancel", refresh, Evidence::Assumed).unwrap();
    operations.add("get-token", Class::Read, path("/other"), Evidence::Assumed).unwrap();
    let desk = Desk::with(policy(), operations);
    let until = desk.now.mono.after(TIME);
    let is_exchange = |error: NotCallable, name: &str, exchange: &str| {
        let (name, exchange) = (name.to_owned(), exchange.to_owned());
        assert_eq!(error, NotCallable::TokenExchange { name, exchange });
    };
    is_exchange(desk.session.call(&Claims(Open), until).unwrap_err(), "open", "get-token");
    for (name, exchange) in [("cancel", "refresh-token"), ("get-token", "get-token")] {
        let request = Json::parse("{}").unwrap();
        let error = desk.session.call_named(name, &request, until).unwrap_err();
        is_exchange(error, name, exchange);
    }
}
