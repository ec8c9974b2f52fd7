//! The service file: what it may say of the vendor's other services, and where it is wrong.

use http::Method;
use imts::catalogue::CatalogueError;
use imts::endpoint::ServicePath;
use imts::operation::{Account, Auth, Repeat};
use imts::other_service_file::{OtherServiceFileError, other_service_of};
use imts::sign::jws::{Algorithm, JwsForm};
use imts::{Class, Evidence, services};

/// A file about this service with these lines.
fn file(service: &str, lines: &str) -> String {
    format!("version = 1\nservice = \"{service}\"\n{lines}\n")
}

const OWN: &str = "[operation.own]\npath = '/own'\nclass = 'create'\n";

#[test]
fn each_operation_of_each_service_can_be_given_its_path() {
    let error = other_service_of(&file("nothing", "")).unwrap_err();
    let OtherServiceFileError::Service { line: 2, names, .. } = &error else { panic!("{error:?}") };
    let mut all = 0;
    for name in names.split(", ") {
        let plain = other_service_of(&file(name, "")).unwrap();
        for info in plain.operations().iter() {
            let lines = format!("[operation.{}]\npath = '/own/path'", info.name());
            let service = other_service_of(&file(name, &lines)).unwrap();
            let entry = service.operations().entry(info.name()).unwrap();
            assert_eq!(entry.path().map(ServicePath::as_str), Some("/own/path"), "{name}");
            assert_eq!((entry.class(), entry.auth()), (info.class(), info.auth()), "{name}");
            assert_eq!(entry.evidence(), Evidence::Assumed);
            all += 1;
        }
    }
    // The menu's 144 without Freedom ID's 11 and the 2 token exchanges, and 2 outside the menu.
    assert_eq!(all, 144 - 11 - 2 + 2);
}

#[test]
fn no_file_lowers_a_class() {
    for (service, name) in [("card-api", "refund-transaction"), ("merchant", "create-payment")] {
        for class in ["read", "create", "money"] {
            let lines = format!("[operation.{name}]\npath = '/x'\nclass = '{class}'");
            let error = other_service_of(&file(service, &lines)).unwrap_err();
            let OtherServiceFileError::Operation { error, line: 3, .. } = error else {
                panic!("{error:?}")
            };
            assert!(matches!(error, CatalogueError::ClassIsFixed { .. }), "{error:?}");
        }
    }
    let lines = "[operation.aside]\npath = '/init_payment.php'\nclass = 'read'";
    let error = other_service_of(&file("merchant", lines)).unwrap_err();
    assert!(matches!(error, OtherServiceFileError::SamePath { line: 3, .. }), "{error:?}");
    let lines = "[operation.aside]\npath = '/v1/merchant/500000/card/init'\nclass = 'read'";
    let error = other_service_of(&file("merchant", lines)).unwrap_err();
    assert!(matches!(error, OtherServiceFileError::SamePath { line: 3, .. }), "{error:?}");
}

#[test]
fn each_way_to_sign_has_a_name() {
    for (name, auth, form) in [
        ("bearer", Auth::Bearer, None),
        ("none", Auth::None, None),
        ("basic", Auth::Basic, None),
        ("jws", Auth::Jws, None),
        ("jws-hs256", Auth::Jws, Some(JwsForm::partner(Algorithm::Hs256))),
        ("jws-hs512", Auth::Jws, Some(JwsForm::partner(Algorithm::Hs512))),
        ("jws-typ-hs256", Auth::Jws, Some(JwsForm::partner_with_typ(Algorithm::Hs256))),
        ("jws-typ-hs512", Auth::Jws, Some(JwsForm::partner_with_typ(Algorithm::Hs512))),
        ("jws-merchant-hs256", Auth::Jws, Some(JwsForm::merchant(Algorithm::Hs256))),
        ("jws-merchant-hs512", Auth::Jws, Some(JwsForm::merchant(Algorithm::Hs512))),
        ("pg-sig-accepting", Auth::PgSig(Account::Accepting), None),
        ("pg-sig-payouts", Auth::PgSig(Account::Payouts), None),
    ] {
        let service = other_service_of(&file("rates", &format!("{OWN}auth = '{name}'"))).unwrap();
        let own = service.operations().entry("own").unwrap();
        assert_eq!(own.auth(), auth, "{name}");
        let shown = |form: Option<&JwsForm>| format!("{form:?}");
        assert_eq!(shown(own.jws_form()), shown(form.as_ref()), "{name}");
    }
    // Without one, it is signed as its service's operations are.
    for (service, auth) in [
        ("rates", Auth::Jws),
        ("merchant", Auth::PgSig(Account::Accepting)),
        ("transfer", Auth::Bearer),
    ] {
        let service = other_service_of(&file(service, OWN)).unwrap();
        assert_eq!(service.operations().entry("own").unwrap().auth(), auth);
    }
}

#[test]
fn an_operation_takes_each_of_its_settings_from_the_file() {
    let lines = "[operation.own]\npath = '/v5/own/:id'\nclass = 'money'\nmethod = 'PUT'\n\
                 evidence = 'published'\nrepeat = 'refused'\nrepeat_codes = ['9991', 1002]\n\
                 ask = { operation = 'own-status', field = 'id' }\nreference_field = 'id'\n\
                 reference_header = 'X-Request-Id'\nheaders = { X-Action = 'own.action' }\n\
                 reply_limit = 1000\n\
                 [operation.own.decided_before_processing]\nstatuses = [429]\ncodes = [7]\n\
                 [operation.own-status]\npath = '/v5/own-status'\nclass = 'read'\nmethod = 'GET'";
    let service = other_service_of(&file("products", lines)).unwrap();
    let own = service.operations().entry("own").unwrap();
    assert_eq!(
        (own.class(), own.method(), own.evidence()),
        (Class::Money, &Method::PUT, Evidence::Published)
    );
    assert_eq!(own.repeat(), &Repeat::refused(["1002", "9991"]));
    let asked = own.asked_by().unwrap();
    assert_eq!((asked.operation(), asked.field()), ("own-status", "id"));
    assert_eq!(own.reference_field(), Some("id"));
    assert_eq!(own.reference_header().unwrap().as_str(), "x-request-id");
    let [(name, value)] = own.headers() else { panic!("{:?}", own.headers()) };
    assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-action", "own.action"));
    assert_eq!(own.reply_limit(), Some(1000));
    assert!(own.decided().statuses.contains(&429) && own.decided().codes.contains("7"));
    assert_eq!(own.path().unwrap().parameters().collect::<Vec<_>>(), ["id"]);
    for (word, repeat) in [("replayed", Repeat::Replayed), ("unknown", Repeat::Unknown)] {
        let service = other_service_of(&file("rates", &format!("{OWN}repeat = '{word}'"))).unwrap();
        assert_eq!(service.operations().entry("own").unwrap().repeat(), &repeat);
    }
}

#[test]
fn the_envelope_of_the_replies_can_be_another_services() {
    let format = |text: String| std::ptr::from_ref(other_service_of(&text).unwrap().format());
    let own = |service: imts::Service| std::ptr::from_ref(service.format());
    for (word, as_that_of) in [
        ("wrapped", services::transfer::service()),
        ("flat", services::rates::service()),
        ("numeric", services::gift_cards::service()),
        ("message", services::merchant::service()),
    ] {
        let line = format!("envelope = '{word}'");
        assert_eq!(format(file("settlement", &line)), own(as_that_of), "{word}");
    }
    assert_eq!(format(file("gift-cards", "")), own(services::gift_cards::service()));
}

#[test]
fn an_error_names_the_line_and_what_to_do() {
    for (lines, line, word) in [
        ("other = 1", 3, "other"),
        ("envelope = 'round'", 3, "round"),
        ("[operation.own]\nclass = 'read'", 3, "path"),
        ("[operation.own]\npath = '/x'\nrepeats = 'refused'", 5, "repeats"),
        ("[operation.own]\npath = '/x'\nauth = 'jws-hs1'", 5, "jws-hs1"),
        ("[operation.own]\npath = '/x'\nmethod = 'get'", 5, "get"),
        ("[operation.own]\npath = '/x'\nrepeat = 'never'", 5, "never"),
        ("[operation.own]\npath = '/x'", 3, "give it a class"),
        ("[operation.own]\npath = 'x'\nclass = 'read'", 3, "path"),
        ("[operation.own]\npath = '/x'\nclass = 'read'\nrepeat_codes = [1]", 3, "repeat = "),
        ("[operation.own]\npath = '/x'\nclass = 'read'\nheaders = { Host = 'a' }", 3, "Host"),
        ("[operation.own]\npath = '/x'\nclass = 'read'\nreference_header = 'a b'", 3, "a b"),
        (
            "[operation.own]\npath = '/x'\nclass = 'read'\nask = { operation = 'no', field = 'a' }",
            3,
            "`no`",
        ),
        (
            "[operation.own]\npath = '/x'\nclass = 'read'\n\
             [operation.own.decided_before_processing]\nstatuses = [99]",
            3,
            "99",
        ),
    ] {
        let error = other_service_of(&file("card-api", lines)).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}")), "{lines}: {error}");
        assert!(error.contains(word), "{lines}: {error}");
    }
    let error = other_service_of("version = 2\nservice = 'rates'").unwrap_err();
    assert_eq!(error, OtherServiceFileError::Version(2));
    let error = other_service_of("version = 1").unwrap_err().to_string();
    assert!(error.contains("service"), "{error}");
    let error = other_service_of(&file("card", "")).unwrap_err().to_string();
    assert!(error.contains("card-api, e-money, gateway"), "{error}");
}

#[test]
fn an_error_quotes_little_and_nothing_that_moves_a_cursor() {
    let long = "k".repeat(100_000);
    for text in [
        file(&long, ""),
        file("card-api", &format!("{long} = 1")),
        file("card-api", &format!("[operation.{long}]\npath = '/x'")),
        file("card-api", &format!("[operation.{long}]\npath = 'x'\nclass = 'read'")),
        file("card-api", "[operation.\"\\u001b[2J\"]\npath = '/x'\nclass = 'read'"),
        file("\\u001b[2J", ""),
        file("card-api", &format!("{OWN}headers = {{ \"{long}\" = 'a' }}")),
        file("card-api", &format!("{OWN}ask = {{ operation = '{long}', field = 'a' }}")),
    ] {
        let shown = other_service_of(&text).unwrap_err().to_string();
        assert!(shown.len() < 1_000, "{} bytes", shown.len());
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}
