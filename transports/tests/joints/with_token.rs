//! A request of the caller's own over reqwest: what follows a 401, and what does not.

use http::header::AUTHORIZATION;
use http::{Request as HttpRequest, Response as HttpResponse};
use http_body_util::Full;
use imts::authorize::NoToken;
use imts::reqwest::{Repeat, SendError};
use imts::{AsyncClient, TokenError};
use imts_sandbox::{ECHO_PATH, Front, Operation, Outage, Sandbox};
use reqwest::{Request, StatusCode};

use crate::{client, http};

/// A service, a client of it, and reqwest's.
fn parts() -> (Front, AsyncClient, reqwest::Client) {
    let front = Front::start(Sandbox::default()).unwrap();
    let client = client(&front.url());
    (front, client, http().build().unwrap())
}

fn request(front: &Front, body: impl Into<reqwest::Body>) -> Request {
    let url = format!("{}{ECHO_PATH}", front.url());
    let request = HttpRequest::post(url).header("content-type", "application/json");
    Request::try_from(request.body(body).unwrap()).unwrap()
}

/// A body that reqwest cannot clone.
fn once() -> reqwest::Body {
    reqwest::Body::wrap(Full::new(BODY.as_bytes()))
}

const BODY: &str = r#"{"a":[1, 2]}"#;

fn count(front: &Front, operation: Operation) -> usize {
    front.sandbox().count(operation)
}

/// Has a token that the service no longer accepts. Returns its number.
async fn revoked(front: &Front, client: &AsyncClient) -> u64 {
    let epoch = client.token().await.unwrap().epoch().count();
    front.sandbox().revoke_access_tokens();
    epoch
}

#[tokio::test]
async fn a_request_carries_the_token_in_place_of_what_was_there() {
    let (front, client, http) = parts();
    for n in 1..=3 {
        let mut request = request(&front, BODY);
        request.headers_mut().insert(AUTHORIZATION, "Basic eDp5".parse().unwrap());
        let response = client.send_with_token(&http, request, Repeat::Never).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.text().await.unwrap().contains(r#""a":[1,2]"#));
        assert_eq!((count(&front, Operation::Echo), count(&front, Operation::GetToken)), (n, 1));
    }
}

#[tokio::test]
async fn after_a_401_the_token_is_rejected_and_what_is_not_marked_is_not_repeated() {
    let (front, client, http) = parts();
    let epoch = revoked(&front, &client).await;
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Never).await.unwrap();
    assert_eq!((sent.status(), count(&front, Operation::Echo)), (StatusCode::UNAUTHORIZED, 1));
    assert_eq!(Repeat::default(), Repeat::Never);
    assert_eq!(client.token().await.unwrap().epoch().count(), epoch + 1);
}

#[tokio::test]
async fn what_is_marked_as_safe_is_repeated_once_with_another_token() {
    let (front, client, http) = parts();
    let epoch = revoked(&front, &client).await;
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await.unwrap();
    assert_eq!((sent.status(), count(&front, Operation::Echo)), (StatusCode::OK, 2));
    assert!(sent.text().await.unwrap().contains(r#""a":[1,2]"#), "the body is the same");
    assert_eq!(client.token().await.unwrap().epoch().count(), epoch + 1);
}

#[tokio::test]
async fn what_is_marked_and_cannot_be_cloned_is_not_repeated() {
    let (front, client, http) = parts();
    let epoch = revoked(&front, &client).await;
    let sent = client.send_with_token(&http, request(&front, once()), Repeat::Safe).await.unwrap();
    assert_eq!((sent.status(), count(&front, Operation::Echo)), (StatusCode::UNAUTHORIZED, 1));
    assert_eq!(client.token().await.unwrap().epoch().count(), epoch + 1);
}

#[tokio::test]
async fn a_second_401_is_returned_and_both_tokens_are_rejected() {
    let (front, client, http) = parts();
    front.sandbox().settings_mut().reject_access = true;
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await.unwrap();
    assert_eq!((sent.status(), count(&front, Operation::Echo)), (StatusCode::UNAUTHORIZED, 2));
    // The second rejection in a row is paced: there is no third token yet.
    let third = client.token().await;
    assert!(matches!(third, Err(TokenError::Waiting { .. })), "{third:?}");
}

#[tokio::test]
async fn if_there_is_no_new_token_the_401_is_returned() {
    let (front, client, http) = parts();
    revoked(&front, &client).await;
    // Only requests with a token are answered from now on.
    front.sandbox().settings_mut().agents.clear();
    front.sandbox().settings_mut().refuse_refresh = true;
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await.unwrap();
    assert_eq!((sent.status(), count(&front, Operation::Echo)), (StatusCode::UNAUTHORIZED, 1));
}

#[tokio::test]
async fn if_there_is_no_token_nothing_is_sent() {
    let (front, client, http) = parts();
    front.sandbox().settings_mut().outage = Some(Outage::default());
    let failed = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await;
    let error = failed.unwrap_err();
    assert!(matches!(error, SendError::NoToken(NoToken::Token(_))), "{error:?}");
    assert_eq!(count(&front, Operation::Echo), 0);
}

#[tokio::test]
async fn another_status_is_returned_as_it_is_and_rejects_nothing() {
    let (front, client, http) = parts();
    let epoch = client.token().await.unwrap().epoch();
    front.sandbox().settings_mut().outage = Some(Outage::default());
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await.unwrap();
    assert_eq!(sent.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(client.token().await.unwrap().epoch(), epoch);
}

#[tokio::test]
async fn a_401_from_where_the_request_was_redirected_to_rejects_nothing() {
    let elsewhere = Front::builder(Sandbox::default())
        .handler(|_, _, request| {
            assert!(!request.headers().contains_key(AUTHORIZATION));
            HttpResponse::builder().status(401).body(Vec::new()).unwrap()
        })
        .start()
        .unwrap();
    let to = elsewhere.url();
    let front = Front::builder(Sandbox::default())
        .handler(move |sandbox, now, request| match request.uri().path() {
            ECHO_PATH => {
                let there = HttpResponse::builder().status(303).header("location", &to);
                there.body(Vec::new()).unwrap()
            }
            _ => sandbox.handle(now, request),
        })
        .start()
        .unwrap();
    let (client, http) = (client(&front.url()), http().build().unwrap());
    let sent = client.send_with_token(&http, request(&front, BODY), Repeat::Safe).await.unwrap();
    assert_eq!(sent.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(client.token().await.unwrap().epoch().count(), 1);
    assert_eq!(count(&front, Operation::GetToken), 1);
}

#[tokio::test]
async fn a_token_does_not_go_to_another_machine_over_plain_http() {
    let (front, client, http) = parts();
    for url in ["http://192.0.2.1/", "http://localhost.example/", "ftp://127.0.0.1/"] {
        let request = Request::new(reqwest::Method::GET, url.parse().unwrap());
        let error = client.send_with_token(&http, request, Repeat::Safe).await.unwrap_err();
        assert!(matches!(error, SendError::NoToken(NoToken::PlainHttp)), "{url}: {error:?}");
    }
    assert_eq!(front.log().len(), 0, "no token was asked for");
}

#[tokio::test]
async fn a_failure_of_reqwest_is_returned_and_rejects_nothing() {
    let (front, client, http) = parts();
    let epoch = client.token().await.unwrap().epoch();
    let mut gone = request(&front, BODY);
    gone.url_mut().set_port(Some(1)).unwrap();
    let error = client.send_with_token(&http, gone, Repeat::Safe).await.unwrap_err();
    assert!(matches!(&error, SendError::Http(error) if error.is_connect()), "{error:?}");
    assert_eq!(client.token().await.unwrap().epoch(), epoch);
}
