//! No error prints a secret or a token, and neither does anything else of the joints.

use std::error::Error;
use std::fmt::Debug;

use http::Response;
use imts::reqwest::Repeat;
use imts::secret::Body;
use imts::tower::{BearerLayer, Repeatable};
use imts::transport::Bounds;
use imts::{AsyncTransport, Builder, Credentials, Endpoint};
use imts_sandbox::{Front, Sandbox, Time};
use reqwest::Request;
use tower_layer::Layer;

use crate::{http, transport};

const CANARY: &str = "canary";

/// Everything that an error and its causes print.
fn printed(error: &dyn Error) -> String {
    let mut printed = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        printed.push_str(&format!(" {source} {source:?}"));
        next = source.source();
    }
    printed
}

#[track_caller]
fn keeps_it(error: &dyn Error) {
    let printed = printed(error);
    assert!(!printed.to_lowercase().contains(CANARY), "{printed}");
}

#[track_caller]
fn hides_it(it: &dyn Debug) {
    let printed = format!("{it:?} {it:#?}");
    assert!(!printed.to_lowercase().contains(CANARY), "{printed}");
}

/// A service that gives out tokens which are canaries, and answers nothing else.
fn service() -> Front {
    let mut settings = imts_sandbox::Settings::default();
    settings.agents = [("agent".to_owned(), CANARY.to_owned())].into();
    Front::builder(Sandbox::new(settings))
        .handler(|sandbox: &mut Sandbox, now: Time, request| {
            let response = sandbox.handle(now, request);
            let (head, body) = response.into_parts();
            let text = String::from_utf8(body).unwrap();
            let body = text.replacen(r#""access_token":""#, r#""access_token":"canary."#, 1);
            Response::from_parts(head, body.into_bytes())
        })
        .start()
        .unwrap()
}

#[tokio::test]
async fn no_error_prints_what_was_sent() {
    let front = service();
    let transport = transport();
    let client = Builder::new(Endpoint::plain_loopback(&front.url()).unwrap())
        .credentials(Credentials::new("agent", CANARY).unwrap())
        .nonblocking(transport.clone())
        .unwrap();
    let bearer = client.token().await.unwrap();
    assert!(bearer.expose_token().contains(CANARY), "it is looked for");

    hides_it(&transport);
    hides_it(&client);
    let http = http().build().unwrap();
    let mut urls = vec!["http://127.0.0.1:1/".to_owned(), "http://192.0.2.1/".to_owned()];
    let addresses = ["\0", "ftp://x/", "/path", "https://127.0.0.1:1/"];
    urls.extend(addresses.map(str::to_owned));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    urls.push(format!("http://{}/", silent.local_addr().unwrap()));
    let (mut sent, mut carried) = (0, 0);
    for url in &urls {
        let bounds = Bounds { reply_limit: 0, time_limit: std::time::Duration::from_millis(200) };
        let request = http::Request::post(url.as_str())
            .header("authorization", bearer.header())
            .body(Body::from(CANARY.as_bytes().to_vec()));
        let Ok(request) = request else { continue };
        keeps_it(&transport.send(request, bounds).await.unwrap_err());
        sent += 1;
        let request = http::Request::post(url.as_str()).body(CANARY).unwrap();
        let Ok(mut request) = Request::try_from(request) else { continue };
        *request.timeout_mut() = Some(bounds.time_limit);
        hides_it(&request);
        keeps_it(&client.send_with_token(&http, request, Repeat::Safe).await.unwrap_err());
        carried += 1;
    }
    assert_eq!((sent, carried), (6, 5));

    let layer = BearerLayer::new(client.clone());
    let below = tower::service_fn(|request: http::Request<&'static str>| async move {
        hides_it(&request.headers());
        Err::<Response<()>, _>(std::io::Error::other("it broke"))
    });
    hides_it(&layer);
    hides_it(&layer.layer(()));
    for url in ["http://127.0.0.1:1/", "http://192.0.2.1/"] {
        let mut request = http::Request::post(url).body(CANARY).unwrap();
        Repeatable::mark(&mut request);
        hides_it(request.extensions().get::<Repeatable<&'static str>>().unwrap());
        let failed = tower::ServiceExt::oneshot(layer.layer(below), request).await.unwrap_err();
        keeps_it(&*failed);
    }
}
