//! Answers in another form.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::Response;
use imts_sandbox::{ErrorShape, Fault, Form, Front, GET_TOKEN_PATH, Operation, Rule, Sandbox};

use crate::{NOON, credentials, post};

fn with(form: Form, status: Option<u16>) -> Sandbox {
    let mut service = Sandbox::default();
    service.settings_mut().error_shape = ErrorShape::State;
    service.set_faults(vec![Rule::always(Operation::GetToken, Fault::Form { form, status })]);
    service
}

fn answers(form: Form, status: Option<u16>) -> [Response<Vec<u8>>; 2] {
    let wrong = serde_json::json!({ "agent_id": "agent", "agent_secret": "wrong" });
    [credentials(), wrong].map(|body| with(form, status).handle(NOON, &post(GET_TOKEN_PATH, &body)))
}

#[test]
fn a_form_says_what_the_answer_says_and_is_whole_as_far_as_it_claims() {
    for form in Form::EACH {
        for (response, word) in
            answers(form, None).iter().zip(["\"state\":true", "\"state\":false"])
        {
            let body = response.body();
            let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            let is_whole = serde_json::from_slice::<serde_json::Value>(body).is_ok();
            assert_eq!(is_whole, form.is_whole(), "{form:?}");
            let letters: Vec<u8> = body.iter().copied().filter(u8::is_ascii_graphic).collect();
            assert!(String::from_utf8(letters).unwrap().contains(word), "{form:?}");
        }
    }
}

#[test]
fn a_form_may_change_the_status_and_nothing_of_what_is_applied() {
    for form in Form::EACH {
        let statuses = answers(form, Some(202)).map(|response| response.status().as_u16());
        assert_eq!(statuses, [202, 202], "{form:?}");
        let statuses = answers(form, None).map(|response| response.status().as_u16());
        assert_eq!(statuses, [200, 401], "{form:?}");
        let mut service = with(form, Some(500));
        service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
        assert_eq!(service.counters().grants, 1, "{form:?}");
    }
}

#[test]
fn a_type_is_there_as_often_as_the_form_says() {
    let types = |form| {
        let [grant, _] = answers(form, None);
        let types = grant.headers().get_all("content-type").iter();
        types.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(types(Form::NoType).is_empty());
    assert_eq!(types(Form::HtmlType), ["text/html"]);
    assert_eq!(types(Form::DoubledType), ["application/json, application/json"]);
    assert_eq!(types(Form::TwoTypes), ["text/html", "application/json"]);
    assert_eq!(types(Form::Utf16), ["application/json"]);
    let [grant, _] = answers(Form::GzipDeclared, None);
    assert_eq!(grant.headers()["content-encoding"], "gzip");
}

#[test]
fn chunks_have_extensions_on_the_wire() {
    let front = Front::start(with(Form::Chunked, None)).unwrap();
    let body = credentials().to_string();
    let mut stream = TcpStream::connect(front.url().trim_start_matches("http://")).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {GET_TOKEN_PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
    assert!(
        body.contains(";part=\"1;\\\"x\\\"\"\r\n{") && body.ends_with("\r\n0;end\r\n\r\n"),
        "{body}"
    );
}

#[test]
fn a_form_comes_through_the_control_door() {
    let rules = r#"{"faults":[{"operation":"get-token","fault":{"form":{"form":"utf_16"}}}]}"#;
    let door = |body: &str| {
        let mut service = Sandbox::default();
        let request = http::Request::post("/_sandbox/settings").body(body.into()).unwrap();
        (service.handle(NOON, &request).status().as_u16(), service)
    };
    let (status, service) = door(rules);
    assert_eq!(status, 200);
    let fault = Fault::Form { form: Form::Utf16, status: None };
    assert_eq!(service.settings().faults, [Rule::always(Operation::GetToken, fault)]);
    let bad = rules.replace("\"utf_16\"", "\"utf_16\",\"status\":7");
    assert_eq!(door(&bad).0, 400);
}
