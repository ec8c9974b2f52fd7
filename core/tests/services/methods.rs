//! A service whose operations are not all `POST`: their methods are data.

use std::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;
use imts_core::call::NotCallable;
use imts_core::endpoint::ServicePath;
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::{Auth, Json, Success};
use imts_core::secret::Body;
use imts_core::{Call, CallStep, Catalogue, Class, Evidence, Operation, Policy, Service, Session};

use crate::support::{START, endpoint, open};

macro_rules! operation {
    ($type:ident, $name:literal, $path:literal, $class:ident $(, $method:ident)?) => {
        struct $type;

        impl Operation for $type {
            const NAME: &'static str = $name;
            const PATH: Option<&'static str> = Some($path);
            $(const METHOD: Method = Method::$method;)?
            const AUTH: Auth = Auth::None;
            const CLASS: Class = Class::$class;
            const EVIDENCE: Evidence = Evidence::Assumed;
            type Reply = Json;

            fn encode(&self) -> Result<Body, EncodeError> {
                Ok(Body::default())
            }

            fn decode(success: Success<'_>) -> Result<Json, Malformed> {
                success.payload()
            }
        }
    };
}

operation!(Order, "order", "/orders", Money);
operation!(ListOrders, "list-orders", "/orders", Read, GET);
operation!(PutOrder, "put-order", "/orders", Read, PUT);

/// The service, with these methods set in its catalogue.
fn service(methods: &[(&str, Method)]) -> Service {
    let operations = Catalogue::new().with::<Order>().unwrap();
    let mut operations = operations.with::<ListOrders>().unwrap();
    for (name, method) in methods {
        operations.set_method(name, method.clone()).unwrap();
    }
    open().with_operations(operations)
}

fn call<O: Operation>(operation: &O, service: &Service) -> Result<(Method, bool), NotCallable> {
    let until = START.mono.after(Duration::from_secs(60));
    let mut call = Call::new(operation, service, &endpoint(), Policy::default(), until)?;
    let CallStep::Send(exchange) = call.poll(START) else { panic!("it needs no token") };
    let request = exchange.request();
    assert_eq!(request.uri(), "https://passport.example/orders");
    Ok((request.method().clone(), request.headers().contains_key(CONTENT_TYPE)))
}

#[test]
fn a_call_has_the_method_of_its_operation_and_post_if_it_names_none() {
    let service = service(&[]);
    assert_eq!(call(&Order, &service), Ok((Method::POST, false)));
    assert_eq!(call(&ListOrders, &service), Ok((Method::GET, false)), "no body, so no type of one");
    let session = Session::new(endpoint(), service, Policy::default()).unwrap();
    let until = START.mono.after(Duration::from_secs(60));
    let nothing = Json::parse("{ }").unwrap();
    let mut named = session.call_named("list-orders", &nothing, until).unwrap();
    let CallStep::Send(exchange) = named.poll(START) else { panic!("it needs no token") };
    assert_eq!(exchange.request().method(), Method::GET);
    assert!(exchange.request().body().is_empty(), "a GET of nothing has no content");
    let mut order = session.call_named("order", &nothing, until).unwrap();
    let CallStep::Send(exchange) = order.poll(START) else { panic!("it needs no token") };
    assert_eq!(exchange.request().body().as_ref(), b"{ }");
}

#[test]
fn the_catalogue_says_another_method() {
    let service = service(&[("list-orders", Method::HEAD), ("order", Method::PUT)]);
    assert_eq!(call(&ListOrders, &service), Ok((Method::HEAD, false)));
    assert_eq!(call(&Order, &service), Ok((Method::PUT, false)));
    let mut operations = Catalogue::new();
    assert!(operations.set_method("order", Method::GET).is_err(), "there is no such operation");
    let path = ServicePath::new("/orders").unwrap();
    operations.add("own", Class::Read, path, Evidence::Assumed).unwrap();
    assert_eq!(operations.entry("own").unwrap().method(), Method::POST);
}

#[test]
fn at_a_path_that_moves_money_only_a_safe_method_reads() {
    let lowered = |name: &str| {
        let (name, has, claimed) = (name.to_owned(), Class::Money, Class::Read);
        Err(NotCallable::ClassLowered { name, has, claimed })
    };
    assert_eq!(call(&PutOrder, &service(&[])), lowered("order"), "a PUT may change something");
    let reads_by_post = service(&[("list-orders", Method::POST)]);
    assert_eq!(call(&ListOrders, &reads_by_post), lowered("order"));
    let moves_by_get = service(&[("order", Method::GET)]);
    assert_eq!(call(&ListOrders, &moves_by_get), lowered("order"), "the same method too");
}
