//! What of a reply is believed: a signed one that verifies, and of the others next to nothing.

use imts_core::call::CallError;
use imts_core::catalogue::Decided;
use imts_core::error::ReplyError;
use imts_core::operation::{Account, Auth, Json, PgForm, Repeat, ReplyScript};
use imts_core::sign::pg_sig::Script;
use imts_core::{Outcome, Recovery};

use crate::support::{catalogue, outcome_of, service, signatory, signed_xml};

const OK: [(&str, &str); 2] = [("pg_status", "ok"), ("pg_payment_id", "17")];
const REFUSED: [(&str, &str); 2] = [("pg_status", "error"), ("pg_error_code", "9992")];

fn pg(name: &str, status: u16, body: &[u8]) -> Outcome<Json> {
    let auth = Auth::PgSig(Account::Accepting);
    outcome_of(&signatory(service(catalogue(auth, &Repeat::Unknown))), name, status, &[], body)
}

fn called(name: &str) -> Script {
    Script::of(&format!("/v5/{name}")).unwrap()
}

fn is_unbelieved(outcome: &Outcome<Json>) -> bool {
    let why = match outcome {
        Outcome::Unknown(unknown) => unknown.why(),
        Outcome::Failed(failed) => failed.why(),
        _ => return false,
    };
    matches!(why, CallError::Reply(ReplyError::Unbelieved { .. }))
}

#[test]
fn a_signed_reply_is_read_as_one_object_of_texts() {
    let Outcome::Done(reply) = pg("pay", 200, &signed_xml(&called("pay"), &OK)) else {
        panic!("it is signed")
    };
    let salt = r#""pg_salt":"0123456789abcdef""#;
    assert_eq!(reply.as_str(), format!(r#"{{"pg_status":"ok","pg_payment_id":"17",{salt}}}"#));
}

#[test]
fn a_signed_refusal_proves_that_nothing_happened() {
    let Outcome::Refused(refusal) = pg("pay", 200, &signed_xml(&called("pay"), &REFUSED)) else {
        panic!("it is signed")
    };
    assert_eq!(refusal.code(), Some("9992"));
}

#[test]
fn an_unsigned_or_wrongly_signed_reply_is_never_done_nor_refused() {
    let xml = |text: &str| format!("<response>{text}</response>").into_bytes();
    let of_another_script = |fields| signed_xml(&called("another"), fields);
    let mut changed = String::from_utf8(signed_xml(&called("pay"), &OK)).unwrap();
    changed = changed.replace("<pg_payment_id>17", "<pg_payment_id>18");
    for body in [
        xml("<pg_status>ok</pg_status>"),
        xml("<pg_status>error</pg_status><pg_error_code>9992</pg_error_code>"),
        of_another_script(&OK),
        of_another_script(&REFUSED),
        changed.into_bytes(),
        br#"{"pg_status":"ok"}"#.to_vec(),
        br#"{"pg_status":"error"}"#.to_vec(),
        b"pg_status=ok".to_vec(),
        b"<html>error</html>".to_vec(),
        b"".to_vec(),
    ] {
        for status in [200, 400, 404, 422] {
            for name in ["pay", "create"] {
                let outcome = pg(name, status, &body);
                assert!(
                    matches!(outcome, Outcome::Unknown(_)) && is_unbelieved(&outcome),
                    "{name} {status} {:?}: {outcome:?}",
                    String::from_utf8_lossy(&body)
                );
            }
            let outcome = pg("read", status, &body);
            assert!(
                matches!(outcome, Outcome::Failed(_)) && is_unbelieved(&outcome),
                "{outcome:?}"
            );
        }
    }
}

#[test]
fn a_well_signed_reply_about_another_request_is_not_believed() {
    let about = |fields: &[(&str, &str)], id: &str| {
        let all = [fields, &[("request_id", id)]].concat();
        pg("pay", 200, &signed_xml(&called("pay"), &all))
    };
    assert!(matches!(about(&OK, "r-1"), Outcome::Done(_)));
    assert!(matches!(about(&REFUSED, "r-1"), Outcome::Refused(_)));
    for fields in [&OK[..], &REFUSED] {
        for id in ["r-2", "r-1 ", "R-1", "r-11"] {
            let outcome = about(fields, id);
            assert!(is_unbelieved(&outcome), "{id}: {outcome:?}");
        }
    }
}

#[test]
fn a_merchant_that_the_gateway_does_not_know_is_refused_without_a_signature() {
    let xml = |status: &str, more: &str| {
        let code = "<pg_error_code>9998</pg_error_code>";
        format!("<response><pg_status>{status}</pg_status>{code}{more}</response>").into_bytes()
    };
    let Outcome::Refused(refusal) = pg("pay", 200, &xml("error", "")) else { panic!("published") };
    assert_eq!(refusal.code(), Some("9998"));
    for odd in [xml("ok", ""), xml("error", "<pg_salt>x</pg_salt>")] {
        let outcome = pg("pay", 200, &odd);
        assert!(is_unbelieved(&outcome), "{outcome:?}");
    }
}

#[test]
fn the_script_of_a_reply_is_data_of_the_operation() {
    for (data, script) in [
        (ReplyScript::Absent, Script::absent()),
        (ReplyScript::Exactly("get_status.php".into()), Script::exactly("get_status.php")),
    ] {
        let mut operations = catalogue(Auth::PgSig(Account::Accepting), &Repeat::Unknown);
        operations.set_pg_form("pay", PgForm::new().with_reply_script(data)).unwrap();
        let signatory = signatory(service(operations));
        let outcome = outcome_of(&signatory, "pay", 200, &[], &signed_xml(&script, &OK));
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let outcome = outcome_of(&signatory, "pay", 200, &[], &signed_xml(&called("pay"), &OK));
        assert!(is_unbelieved(&outcome), "{outcome:?}");
    }
}

#[test]
fn a_web_page_with_403_is_an_error_of_its_own() {
    let page = b"<!DOCTYPE html><html><body>Forbidden</body></html>".as_slice();
    let html = [("content-type", "text/html; charset=utf-8")];
    for auth in [Auth::Jws, Auth::PgSig(Account::Accepting)] {
        let ends = |decided: &[u16], name: &str| {
            let mut operations = catalogue(auth, &Repeat::Unknown);
            let statuses = decided.iter().copied().collect();
            let decided = Decided { statuses, ..Decided::default() };
            operations.set_decided(name, decided).unwrap();
            outcome_of(&signatory(service(operations)), name, 403, &html, page)
        };
        let is_path = |why: &CallError| matches!(why, CallError::Reply(ReplyError::UnknownPath));
        let Outcome::Failed(failed) = ends(&[], "read") else { panic!("a read") };
        assert!(is_path(failed.why()) && failed.why().recovery() == Recovery::Fix);
        let Outcome::Unknown(unknown) = ends(&[], "pay") else { panic!("it is assumed alone") };
        assert!(is_path(unknown.why()), "{unknown}");
        assert!(matches!(ends(&[403], "pay"), Outcome::Refused(_)), "the integrator knows");
    }
}

#[test]
fn a_result_in_headers_is_the_content_of_an_empty_reply() {
    let service = service(catalogue(Auth::Jws, &Repeat::Unknown))
        .with_reply_headers(&["x-request-id", "x-request-status"]);
    let signatory = signatory(service);
    let headers = [("x-request-status", "process"), ("x-other", "1")];
    for body in [b"{}".as_slice(), b"", b" { }\n"] {
        let Outcome::Done(reply) = outcome_of(&signatory, "pay", 200, &headers, body) else {
            panic!("{body:?}")
        };
        assert_eq!(reply.as_str(), r#"{"x-request-status":"process"}"#);
    }
    let full = br#"{"status":"ok"}"#;
    let Outcome::Done(reply) = outcome_of(&signatory, "pay", 200, &headers, full) else {
        panic!("it has content")
    };
    assert_eq!(reply.as_str().as_bytes(), full);
}

#[test]
fn what_a_refusal_quotes_of_the_signature_is_not_shown() {
    let signatory = signatory(service(catalogue(Auth::Basic, &Repeat::Unknown)));
    let body = br#"{"status":"error","error_description":"no aWQ6czNjcmV0, no s3cret"}"#;
    let Outcome::Refused(refusal) = outcome_of(&signatory, "pay", 200, &[], body) else {
        panic!("it refuses")
    };
    assert_eq!(refusal.message(), Some("no [redacted], no [redacted]"));
}
